"""Releasing: what every service answers when it tells nothing more of a customer under the partner that it is about to leave (MKT-02)."""

from typing import ClassVar

from contracts.records import Fact


class CustomerReleased(Fact):
    """A service keeps still about a customer that is being moved; whatever it told of it before was told before this.

    The envelope's version is that of the ``customer.changed`` it answers.
    """

    topic: ClassVar[str] = "customer.released"
    aggregate: ClassVar[str] = "release"
    service: str
