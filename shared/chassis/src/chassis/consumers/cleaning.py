"""What the rails forget after 35 days: the inbox's old events and parked records that were settled.

Facts are kept in their topics no longer, so an event that could still be delivered is still
known. States are kept for ever: an effect that follows them must know by its own row what it did.
"""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, delete, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.consumers.inbox import inbox
from chassis.consumers.parking import parked

KEPT: Final = timedelta(days=35)
CHUNK: Final = 5_000


async def forget(session: AsyncSession) -> bool:
    """Delete one chunk of what is too old; answers whether there may be more. Several workers may do it at once."""
    before = func.now() - KEPT
    old_events = await _chunk(session, inbox, inbox.c.received_at < before)
    old_parked = await _chunk(session, parked, parked.c.settled_at < before)
    return CHUNK in {old_events, old_parked}


async def _chunk(session: AsyncSession, table: Table, too_old: ColumnElement[bool]) -> int:
    place: ColumnElement[Any] = literal_column("ctid")
    chosen = select(place).select_from(table).where(too_old).limit(CHUNK).with_for_update(skip_locked=True)
    gone = await session.execute(delete(table).where(place == func.any(func.array(chosen.scalar_subquery()))).returning(place))
    return len(gone.all())
