"""Parking: a record that cannot take effect is kept whole, with its reason, and the partition goes on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import BigInteger, Column, DateTime, Integer, LargeBinary, Table, Text, UniqueConstraint, Uuid, func
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.consumers.events import Place
from chassis.database.tables import Base
from chassis.ids import new_id

parked: Final = Table(
    "parked",
    Base.metadata,
    Column("id", Uuid, primary_key=True),
    Column("consumer", Text, nullable=False),
    Column("handler", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("key", LargeBinary),
    Column("headers", JSONB, nullable=False),
    Column("payload", LargeBinary),
    Column("reason", Text, nullable=False),
    Column("parked_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    UniqueConstraint("consumer", "handler", "topic", "partition", "offset", name="parked_once"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """A record as it came: bytes and headers untouched."""

    place: Place
    key: bytes | None
    headers: Sequence[tuple[str, bytes]]
    payload: bytes | None
    timestamp_ms: int


async def park(session: AsyncSession, *, consumer: str, handler: str, raw: Raw, reason: str) -> None:
    """Keep a record that cannot take effect. Parking it twice changes nothing."""
    row = {
        "id": new_id(),
        "consumer": consumer,
        "handler": handler,
        "topic": raw.place.topic,
        "partition": raw.place.partition,
        "offset": raw.place.offset,
        "key": raw.key,
        "headers": [[name, value.hex()] for name, value in raw.headers],
        "payload": raw.payload,
        "reason": _without_nul(reason)[:2000],
    }
    await session.execute(insert(parked).values(row).on_conflict_do_nothing(constraint="parked_once"))


def _without_nul(text: str) -> str:
    return text.replace("\x00", "\\0")
