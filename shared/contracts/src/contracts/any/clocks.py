"""Clocks of sandbox partners, followed: what every service tells of them."""

from datetime import datetime
from typing import ClassVar

from contracts.records import Fact


class PartnerClockReached(Fact):
    """A service has worked off what was due by the time of a tick, and what it had been told.

    The envelope's version is that of the ``partner.clock_advanced`` it answers. ``told`` counts what it told of
    the partner since its last answer; ``next_due`` is the business time of what it will do next, if it will.
    """

    topic: ClassVar[str] = "partner.clock_reached"
    aggregate: ClassVar[str] = "clock"
    tick: int
    service: str
    told: int
    next_due: datetime | None
