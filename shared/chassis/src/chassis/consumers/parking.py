"""Parking: a record that cannot take effect is kept whole, with its reason, and the partition goes on.

For an effect order matters: behind a parked record the later ones of the same subject are kept
as ``blocked``, until the first is replayed or skipped. Whoever parks behind another holds the
rows of that subject ``for share``, whoever replays holds them ``for update``: so an event either
stands behind or comes after, never beside. A row that was settled stays for a while, with who
settled it and why, and a record that was skipped stays skipped when its topic is read again.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.consumers.events import Place
from chassis.database.tables import Base
from chassis.failures import portable, readable
from chassis.ids import new_id

type Standing = Literal["parked", "blocked", "replayed", "skipped"]

parked: Final = Table(
    "parked",
    Base.metadata,
    Column("id", Uuid, primary_key=True),
    Column("number", BigInteger, Identity(always=True), nullable=False),
    Column("consumer", Text, nullable=False),
    Column("handler", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("key", LargeBinary),
    Column("headers", JSONB, nullable=False),
    Column("payload", LargeBinary),
    Column("subject", Uuid),
    Column("event_id", Uuid),
    Column("standing", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("parked_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("settled_at", DateTime(timezone=True)),
    Column("settled_by", Text),
    Column("settled_because", Text),
    UniqueConstraint("consumer", "handler", "topic", "partition", "offset", "digest", name="parked_once"),
    Index("parked_open", "consumer", "handler", "subject", "number", postgresql_where=text("settled_at is null")),
)


class Raw(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A record as it came: bytes and headers untouched."""

    place: Place
    key: bytes | None
    headers: Sequence[tuple[str, bytes | None]]
    payload: bytes | None
    timestamp_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Parking:
    """Where a record is parked: the consumer, the handler, and what is known of the record.

    ``event_id`` is the event's when the inbox has noted it for this handler.
    """

    consumer: str
    handler: str
    subject: UUID | None = None
    event_id: UUID | None = None
    standing: Standing = "parked"


async def park(session: AsyncSession, raw: Raw, at: Parking, reason: str) -> bool:
    """Keep a record that cannot take effect now. Answers False where the same record was parked from the same place before."""
    row = {
        "id": new_id(),
        "consumer": at.consumer,
        "handler": at.handler,
        "topic": raw.place.topic,
        "partition": raw.place.partition,
        "offset": raw.place.offset,
        "digest": _digest(raw),
        "key": raw.key,
        "headers": [[portable(name), None if value is None else value.hex()] for name, value in raw.headers],
        "payload": raw.payload,
        "subject": at.subject,
        "event_id": at.event_id,
        "standing": at.standing,
        "reason": readable(reason),
    }
    wanted = insert(parked).values(row).on_conflict_do_nothing(constraint="parked_once").returning(parked.c.id)
    return (await session.execute(wanted)).scalar_one_or_none() is not None


async def held(session: AsyncSession, consumer: str, handler: str, subjects: Collection[UUID]) -> set[UUID]:
    """Those subjects of which something is parked for this handler; they stay so until the transaction ends."""
    if not subjects:
        return set()
    c = parked.c
    standing = (
        select(c.subject)
        .where(c.consumer == consumer, c.handler == handler, c.settled_at.is_(None), c.subject == func.any(list(subjects)))
        .order_by(c.number)
        .with_for_update(read=True)
    )
    return {subject for subject in (await session.execute(standing)).scalars() if subject is not None}


def raw_of(row: Any) -> Raw:
    """A parked row's record, as it came."""
    return Raw(
        place=Place(topic=row.topic, partition=row.partition, offset=row.offset),
        key=row.key,
        headers=tuple((name, None if value is None else bytes.fromhex(value)) for name, value in row.headers),
        payload=row.payload,
        timestamp_ms=0,
    )


def _digest(raw: Raw) -> bytes:
    """Tells two records apart that stood at the same place, as after a topic was made anew."""
    return hashlib.sha256(repr((raw.key, tuple(raw.headers), raw.payload)).encode("utf-8", "backslashreplace")).digest()
