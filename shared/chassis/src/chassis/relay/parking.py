"""Parking: a row that the broker does not take is kept in its place, and the rest goes on.

A parked row holds back the later rows of its entity, whenever they come: they are parked
behind it, because a reader must not see what came after something it was never shown. Nor do
beats pass it: those of its topic that are not out yet are taken back.

What has no topic is sent by itself once there is one; what is too large waits for somebody.
``unpark`` sends the rows of an entity again, in order and as urgently as they were told;
``skip`` gives the refused one up. What was given up is kept among the settled parked records for
35 days, with who did it and why.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

import asyncpg
import structlog
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.consumers import parking
from chassis.consumers.events import Place
from chassis.consumers.parking import Parking, Raw, parked
from chassis.database.outbox import Lane, outbox
from chassis.errors import Kind, Refusal

log = structlog.get_logger()

MOST_FREED: Final = 1_000
"""Rows whose topic has come, with the others of their entities, that are let go at once."""
_ANSWER_WITHIN: Final = 10.0

_NO_TOPIC: Final = "its topic does not exist"
_PARK: Final = """
update outbox set lane = 3, parked_from = lane, reason = $2
 where id = any($1::bigint[]) and lane < 3 and partition_key is not null returning topic, event_id, entity
"""
_FOLLOW: Final = """
with held as (select entity from outbox where entity = any($1::uuid[]) and lane = 3 order by id for share)
update outbox set lane = 3, parked_from = lane, reason = 'follows a parked row' where entity in (select entity from held) and lane < 3
"""
_TAKE_BEATS_BACK: Final = "delete from outbox where topic = any($1::text[]) and lane = 0 and partition_key is null"
_BACK: Final = "lane = coalesce(parked_from, 1), parked_from = null, reason = null"
_UNPARK: Final = text(f"update outbox set {_BACK} where entity = :entity and lane = 3 returning id")  # noqa: S608 (constants)
_UNPARK_TOPIC: Final = f"""
update outbox set {_BACK} where lane = 3 and entity = any (array(
  select entity from outbox where lane = 3 and topic = $1 and reason = '{_NO_TOPIC}' order by id limit {MOST_FREED}))
"""  # noqa: S608 (made of constants)
_TOPICS: Final = """
with recursive parked as (
    (select topic from outbox where lane = 3 order by topic limit 1)
    union all
    select (select o.topic from outbox o where o.lane = 3 and o.topic > parked.topic order by o.topic limit 1)
      from parked where parked.topic is not null
)
select topic from parked where topic is not null
"""
_GIVEN_UP: Final = "relay"
_NO_PARTITION: Final = -1


class NotUnsent(Refusal):
    """No row that the relay has parked has this number."""

    kind = Kind.NOT_FOUND
    code = "not_unsent"
    remedy = "List what is unsent."


async def park(connection: "asyncpg.Connection[Any]", row_id: int, reason: str) -> None:
    """Park a row; the later ones of its entity follow when their turn comes."""
    for row in await connection.fetch(_PARK, [row_id], reason, timeout=_ANSWER_WITHIN):
        log.warning("row_parked", topic=row["topic"], event_id=str(row["event_id"]), entity=str(row["entity"]), reason=reason)


async def park_without_topic(connection: "asyncpg.Connection[Any]", row_ids: Sequence[int]) -> None:
    """Park rows whose topic does not exist; beats are no rows that anybody misses."""
    parked_of = Counter(row["topic"] for row in await connection.fetch(_PARK, row_ids, _NO_TOPIC, timeout=_ANSWER_WITHIN))
    for topic, rows in parked_of.items():
        log.error("topic_missing", topic=topic, rows=rows)


async def follow(connection: "asyncpg.Connection[Any]", entities: Collection[UUID]) -> None:
    """Park the rows of these entities behind those that are parked."""
    await connection.execute(_FOLLOW, list(entities), timeout=_ANSWER_WITHIN)


async def take_beats_back(connection: "asyncpg.Connection[Any]", topics: Collection[str]) -> None:
    """Forget the beats of these topics that are not out yet: they would pass what is parked."""
    await connection.execute(_TAKE_BEATS_BACK, list(topics), timeout=_ANSWER_WITHIN)


async def topics_of(connection: "asyncpg.Connection[Any]") -> set[str]:
    """Topics of which rows are parked."""
    return {row["topic"] for row in await connection.fetch(_TOPICS, timeout=_ANSWER_WITHIN)}


async def unpark_topic(connection: "asyncpg.Connection[Any]", topic: str) -> int:
    """Let some of the rows go that had no topic, with the others of their entities: how many."""
    freed = await connection.execute(_UNPARK_TOPIC, topic, timeout=_ANSWER_WITHIN)
    return int(freed.rpartition(" ")[2])


async def listed(session: AsyncSession, *, limit: int = 200) -> Sequence[Any]:
    """What is parked, in the order of telling."""
    c = outbox.c
    columns = (c.id, c.topic, c.entity, c.event_id, c.reason, c.created_at, func.octet_length(c.payload).label("bytes"))
    return (await session.execute(select(*columns).where(c.lane == Lane.PARKED).order_by(c.id).limit(limit))).all()


async def unpark(session: AsyncSession, entity: UUID) -> int:
    """Let the parked rows of an entity be sent, in the order of telling: how many there are.

    It looks until there are none, because the relay may park one more at the same moment; it
    cannot while the first ones are held here.
    """
    freed = 0
    while more := len((await session.execute(_UNPARK, {"entity": entity})).all()):
        freed += more
    return freed


async def retry(session: AsyncSession, row_id: int, *, by: str) -> int:
    """Let a parked row and the others of its entity be sent: how many there are.

    Raises:
        NotUnsent: it is not parked.
    """
    here = (outbox.c.id == row_id, outbox.c.lane == Lane.PARKED)
    entity = (await session.execute(select(outbox.c.entity).where(*here).with_for_update())).scalar_one_or_none()
    if entity is None:
        raise NotUnsent(str(row_id))
    freed = await unpark(session, entity)
    log.info("rows_retried", entity=str(entity), rows=freed, by=by)
    return freed


async def skip(session: AsyncSession, row_id: int, *, by: str, because: str) -> int:
    """Give one parked row up for good, and let the later ones of its entity be sent: how many there are.

    Raises:
        NotUnsent: it is not parked.
    """
    given_up = delete(outbox).where(outbox.c.id == row_id, outbox.c.lane == Lane.PARKED).returning(outbox)
    row = (await session.execute(given_up)).one_or_none()
    if row is None:
        raise NotUnsent(str(row_id))
    await _keep(session, row, by, because)
    log.warning("row_given_up", topic=row.topic, event_id=str(row.event_id), entity=str(row.entity), by=by, because=because)
    return await unpark(session, row.entity)


async def _keep(session: AsyncSession, row: Any, by: str, because: str) -> None:
    place = Place(topic=row.topic, partition=_NO_PARTITION, offset=row.id)
    headers = tuple((name, value.encode()) for name, value in row.headers)
    raw = Raw(place=place, key=row.key.encode(), headers=headers, payload=row.payload, timestamp_ms=0)
    at = Parking(consumer=_GIVEN_UP, handler=_GIVEN_UP, subject=row.entity, event_id=row.event_id, standing="skipped")
    await parking.park(session, raw, at, row.reason or "")
    settled = {"settled_at": func.now(), "settled_by": by, "settled_because": because}
    await session.execute(update(parked).where(parked.c.consumer == _GIVEN_UP, parked.c.offset == row.id).values(settled))
