"""Clocks of sandbox partners, moved on tick by tick (BEY-11)."""

from datetime import datetime
from typing import ClassVar, Final

from contracts.records import Fact

FOLLOWERS: Final = frozenset({"customers", "licensing", "reporting", "notifications"})
"""The services that answer each tick. One that is missing here would not be waited for."""


class PartnerClockAdvanced(Fact):
    """A sandbox partner's business time: it stands at ``until`` while ``standing``, and runs on from there when the last tick is over.

    The same tick is told again, one version higher, until every service has answered that it told nothing.
    """

    topic: ClassVar[str] = "partner.clock_advanced"
    aggregate: ClassVar[str] = "clock"
    tick: int
    until: datetime
    standing: bool
