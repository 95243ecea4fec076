"""Parking: a row that the broker will never take is kept in its place, and the rest goes on.

A parked row holds back the later rows of its entity, whenever they come: they are parked
behind it, because a reader must not see what came after something it was never shown.
``unpark`` sends them all again, in order; ``skip`` gives the refused one up.
"""

from collections.abc import Collection
from typing import Any, Final
from uuid import UUID

import asyncpg
import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

log = structlog.get_logger()

_ANSWER_WITHIN: Final = 10.0

_PARK: Final = "update outbox set lane = 3, reason = $2 where id = $1 and lane < 3 returning topic, event_id, entity"
_FOLLOW: Final = """
with held as (select entity from outbox where entity = any($1::uuid[]) and lane = 3 order by id for share)
update outbox set lane = 3, reason = 'follows a parked row' where entity in (select entity from held) and lane < 3
"""
_UNPARK: Final = text("update outbox set lane = 1, reason = null where entity = :entity and lane = 3 returning id")
_SKIP: Final = text("delete from outbox where id = :id and lane = 3 returning entity")


async def park(connection: "asyncpg.Connection[Any]", row_id: int, reason: str) -> None:
    """Park a row; the later ones of its entity follow when their turn comes."""
    for row in await connection.fetch(_PARK, row_id, reason, timeout=_ANSWER_WITHIN):
        log.warning("row_parked", topic=row["topic"], event_id=str(row["event_id"]), entity=str(row["entity"]), reason=reason)


async def follow(connection: "asyncpg.Connection[Any]", entities: Collection[UUID]) -> None:
    """Park the rows of these entities behind those that are parked."""
    await connection.execute(_FOLLOW, list(entities), timeout=_ANSWER_WITHIN)


async def unpark(session: AsyncSession, entity: UUID) -> int:
    """Let the parked rows of an entity be sent, in the order of telling: how many there are.

    It looks until there are none, because the relay may park one more at the same moment; it
    cannot while the first ones are held here.
    """
    freed = 0
    while more := len((await session.execute(_UNPARK, {"entity": entity})).all()):
        freed += more
    return freed


async def skip(session: AsyncSession, row_id: int) -> int:
    """Give one parked row up for good, and let the later ones of its entity be sent: how many there are."""
    entity = (await session.execute(_SKIP, {"id": row_id})).scalar_one_or_none()
    return await unpark(session, entity) if entity else 0
