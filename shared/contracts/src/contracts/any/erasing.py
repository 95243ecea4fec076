"""Erasing: what every service answers when it has forgotten a purged customer."""

from typing import ClassVar

from contracts.records import Fact


class CustomerErased(Fact):
    """A service keeps nothing any more of a customer and its users; ``counts`` says of how much of what.

    The envelope's version is that of the ``customer.purged`` it answers.
    """

    topic: ClassVar[str] = "customer.erased"
    aggregate: ClassVar[str] = "erasure"
    service: str
    counts: dict[str, int]
