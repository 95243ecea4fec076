"""The inbox: which events have taken effect, by consumer, so that a second delivery changes nothing."""

from collections.abc import Collection
from typing import Final
from uuid import UUID

from sqlalchemy import Column, DateTime, Index, Table, Text, Uuid, func, text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.tables import Base

inbox: Final = Table(
    "inbox",
    Base.metadata,
    Column("consumer", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("event_id", Uuid, primary_key=True),
    Column("received_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Index("inbox_received_at", "received_at", postgresql_using="brin"),
)

_ENTER: Final = text("""
insert into inbox (consumer, source, event_id)
select :consumer, s, e from unnest(cast(:sources as text[]), cast(:ids as uuid[])) as u(s, e)
on conflict do nothing returning source, event_id
""")


type Known = tuple[str, UUID]
"""What an event is known by: source and id (CloudEvents)."""


async def enter(session: AsyncSession, consumer: str, events: Collection[Known]) -> set[Known]:
    """Note events as received, and answer those that are new. Of two with one id the first counts, whatever the other says."""
    if not events:
        return set()
    rows = await session.execute(
        _ENTER, {"consumer": consumer, "sources": [source for source, _ in events], "ids": [event_id for _, event_id in events]}
    )
    return {(source, event_id) for source, event_id in rows}
