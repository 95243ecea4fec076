"""Letters: records of the billing topics, read by the published contracts.

A record that cannot be read is refused with its reason and kept, never dropped. What a sandbox
partner tells is not billed, and a type that nobody here follows is not opened.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from contracts.customers.customers import CustomerCreated, EulaAccepted
from contracts.customers.offboarding import (
    CustomerDeleted,
    CustomerDeletionRequested,
    CustomerDisabled,
    CustomerEnabled,
    CustomerPurged,
    CustomerUnlinked,
)
from contracts.envelope import BadEnvelope, Envelope, decode, type_of
from contracts.licensing.billing import BillingLineRated
from contracts.licensing.offers import OfferPublished
from contracts.licensing.programmes import ProgrammeActivated, ProgrammeEnded
from contracts.licensing.subscriptions import (
    SubscriptionActivated,
    SubscriptionCancelled,
    SubscriptionCancelScheduled,
    TrialConverted,
    TrialEnding,
    TrialExpired,
    TrialPaused,
    TrialStarted,
)
from contracts.records import Fact

FACTS: Final[tuple[type[Fact], ...]] = (
    CustomerCreated,
    EulaAccepted,
    CustomerDisabled,
    CustomerEnabled,
    CustomerUnlinked,
    CustomerDeletionRequested,
    CustomerDeleted,
    CustomerPurged,
    OfferPublished,
    ProgrammeActivated,
    ProgrammeEnded,
    TrialStarted,
    TrialEnding,
    TrialExpired,
    TrialPaused,
    TrialConverted,
    SubscriptionActivated,
    SubscriptionCancelScheduled,
    SubscriptionCancelled,
    BillingLineRated,
)
"""The facts about billing that are told so far; their topics are kept for ever."""

_BY_TYPE: Final = {fact.topic: fact for fact in FACTS}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Letter:
    """A fact as it was told. ``text`` is its JSON, as it came."""

    place: Place
    envelope: Envelope
    record: Fact
    text: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that cannot be entered, and why."""

    place: Place
    payload: bytes | None
    reason: str


def topics(prefix: str) -> list[str]:
    return [prefix + fact.topic for fact in FACTS]


def read(records: Iterable[Any]) -> tuple[list[Letter], list[Refused]]:
    """The letters among Kafka's records, and what is none."""
    letters: list[Letter] = []
    refused: list[Refused] = []
    for record in records:
        place = place_of(record)
        kind = _BY_TYPE.get(type_of(record.headers) or "")
        try:
            envelope = decode(record.headers)
            if kind is None or envelope.sandbox:
                continue
            payload = record.value or b""
            letters.append(Letter(place, envelope, kind.read(payload), payload.decode()))
        except (BadEnvelope, ValueError) as unreadable:
            refused.append(Refused(place, record.value, f"cannot be read: {unreadable}"))
    return letters, refused


def place_of(record: Any) -> Place:
    return Place(record.topic, record.partition, record.offset)
