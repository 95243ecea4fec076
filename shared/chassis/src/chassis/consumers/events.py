"""What a handler is given: an envelope, the decoded record, and where it stood."""

from uuid import UUID

import msgspec

from contracts.envelope import Envelope
from contracts.records import Record


class Place(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where a record stands in the log."""

    topic: str
    partition: int
    offset: int


class Event[R: Record](msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A record as somebody told it."""

    envelope: Envelope
    record: R
    place: Place


class Tombstone(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The end of an entity in its state topic: nothing is kept of it."""

    entity_id: UUID
    place: Place
