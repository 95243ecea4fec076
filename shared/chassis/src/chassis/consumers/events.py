"""What a handler is given: an envelope, the decoded record, and where it stood."""

from dataclasses import dataclass
from uuid import UUID

from contracts.envelope import Envelope
from contracts.records import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a record stands in the log."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Event[R: Record]:
    """A record as somebody told it."""

    envelope: Envelope
    record: R
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """The end of an entity in its state topic: nothing is kept of it."""

    entity_id: UUID
    place: Place
