"""The outbox: what a transaction tells, written with what it changed.

Rows are put in by the transaction that made the fact true, in the order of telling, and
taken out by the relay once the broker has acknowledged them. A row that is here was not
acknowledged yet; a row that is gone was.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, LargeBinary, SmallInteger, Table, Text, Uuid, func, insert
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.tables import Base
from contracts.envelope import Envelope, encode
from contracts.records import Fact, Record

outbox: Final = Table(
    "outbox",
    Base.metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("lane", SmallInteger, nullable=False, server_default="1"),
    Column("entity", Uuid, nullable=False),
    Column("topic", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("partition_key", Uuid, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("payload", LargeBinary),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Index("outbox_entity", "entity", "id"),
)


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
    """One record told by a transaction, before it is written."""

    record: Record
    about: About
    envelope: Envelope

    @property
    def key(self) -> UUID:
        """The Kafka key: a fact's customer (else partner), a state's own entity, so that compaction keeps each entity."""
        return self.envelope.partition_key if isinstance(self.record, Fact) else self.about.id


async def write(session: AsyncSession, told: Sequence[Told]) -> None:
    """Write told rows in one statement, without reading anything back: request roles may only insert."""
    if told:
        await session.execute(insert(outbox).inline(), [_row(one) for one in told])


def _row(one: Told) -> dict[str, Any]:
    return {
        "entity": one.about.id,
        "topic": one.record.topic,
        "key": str(one.key),
        "partition_key": one.envelope.partition_key,
        "event_id": one.envelope.id,
        "headers": [[name, value.decode()] for name, value in encode(one.envelope)],
        "payload": one.record.payload(),
    }
