"""The outbox: what a transaction tells, written with what it changed.

Rows are put in by the transaction that made the fact true, in the order of telling, and
taken out by the relay once the broker has acknowledged them. A row that is here was not
acknowledged yet; a row that is gone was.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, LargeBinary, SmallInteger, Table, Text, Uuid, func, text
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database import clocks
from chassis.database.tables import Base
from chassis.errors import Kind, Refusal
from contracts.envelope import Envelope, encode
from contracts.records import Ending, Fact, Record

LARGEST: Final = 1_048_576 - 4_096
"""Bytes of key, headers and payload that fit into one record of a topic, whatever their compression, with the record's own overhead."""


class Lane(IntEnum):
    """What is sent before what. Within an entity the order of telling counts, whatever the lane."""

    URGENT = 0
    """Who may do what."""
    USUAL = 1
    BULK = 2
    PARKED = 3
    """Not sent: the broker refused the row, its topic does not exist, or it follows such a row of its entity (``reason``)."""


outbox: Final = Table(
    "outbox",
    Base.metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("lane", SmallInteger, nullable=False, server_default="1"),
    Column("entity", Uuid, nullable=False),
    Column("topic", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("partition_key", Uuid),
    Column("event_id", Uuid, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("payload", LargeBinary),
    Column("reason", Text),
    Column("parked_from", SmallInteger),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Index("outbox_entity", "entity", "id"),
    Index("outbox_lane", "lane", "id"),
    Index("outbox_parked", "entity", postgresql_where=text("lane = 3")),
    Index("outbox_parked_topic", "topic", "id", postgresql_where=text("lane = 3")),
)

_ACCESS: Final = frozenset({"partner", "user", "role"})

_WRITE: Final = text("""
insert into outbox (lane, entity, topic, key, partition_key, event_id, headers, payload)
select u.* from unnest(cast(:lane as smallint[]), cast(:entity as uuid[]), cast(:topic as text[]), cast(:key as text[]),
                       cast(:partition_key as uuid[]), cast(:event_id as uuid[]), cast(:headers as json[]), cast(:payload as bytea[])) as u
""")

_LAG: Final = text("""
select coalesce(extract(epoch from clock_timestamp() - min(o.created_at)), 0) from (
  (select created_at from outbox where lane = 0 order by id limit 1) union all
  (select created_at from outbox where lane = 1 order by id limit 1) union all
  (select created_at from outbox where lane = 2 order by id limit 1)) o
""")


class TooLargeToTell(Refusal):
    """It has grown too large to be told."""

    kind = Kind.CONFLICT
    code = "too_large_to_tell"
    remedy = "Change less at once, or take away some of what it holds."


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """The entity that a record is about, at the version the transaction gave it."""

    kind: str
    id: UUID
    version: int
    partner_id: UUID
    customer_id: UUID | None
    data_region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One record told by a transaction, before it is written: what it says, and the bytes that will go over the wire; none of an ending."""

    record: Record | Ending
    about: About
    envelope: Envelope
    lane: Lane
    headers: Sequence[tuple[str, bytes]]
    payload: bytes | None

    @property
    def key(self) -> UUID:
        """The Kafka key: a fact's customer (else partner), a state's own entity, so that compaction keeps each entity."""
        return self.envelope.partition_key if isinstance(self.record, Fact) else self.about.id


def say(record: Record | Ending, about: About, envelope: Envelope, *, lane: Lane = Lane.USUAL, urgent: bool = False) -> Told:
    """Make a record ready for the outbox. What says who may do what is urgent by itself.

    Raises:
        TooLargeToTell: no topic would take it.
    """
    headers, payload = encode(envelope), record.payload() if isinstance(record, Record) else None
    size = len(payload or b"") + sum(len(name) + len(value) for name, value in headers)
    if size > LARGEST:
        raise TooLargeToTell(f"{record.topic} of {about.kind} {about.id} has {size} bytes, {LARGEST} is the most", bytes=size)
    first = Lane.URGENT if urgent or record.aggregate in _ACCESS else lane
    return Told(record=record, about=about, envelope=envelope, lane=first, headers=headers, payload=payload)


async def write(session: AsyncSession, told: Sequence[Told]) -> None:
    """Write told rows in one statement, without reading anything back: request roles may only insert."""
    if told:
        rows = [_row(one) for one in told]
        await session.execute(_WRITE, {name: [row[name] for row in rows] for name in rows[0]})
        await clocks.count(session, [one.envelope for one in told])


async def lag(session: AsyncSession) -> float:
    """For how many seconds the oldest row that is to be sent has waited; 0 when none does. Bulk work waits while this is over 1."""
    return float((await session.execute(_LAG)).scalar_one())


def _row(one: Told) -> dict[str, Any]:
    return {
        "lane": one.lane,
        "entity": one.about.id,
        "topic": one.record.topic,
        "key": str(one.key),
        "partition_key": one.envelope.partition_key,
        "event_id": one.envelope.id,
        "headers": msgspec.json.encode([(name, value.decode()) for name, value in one.headers]).decode(),
        "payload": one.payload,
    }
