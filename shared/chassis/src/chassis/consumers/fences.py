"""Fences: how far each consumer has come, kept in the transaction of the effects themselves.

The fence is the truth; offsets committed to Kafka only show the lag.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import BigInteger, Column, Integer, Table, Text, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.tables import Base

type TopicPartition = tuple[str, int]

fences: Final = Table(
    "fences",
    Base.metadata,
    Column("consumer", Text, primary_key=True),
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("next_offset", BigInteger, nullable=False),
)

_ADVANCE: Final = text("""
insert into fences as f (consumer, topic, partition, next_offset)
select :consumer, t, p, o from unnest(cast(:topics as text[]), cast(:partitions as int[]), cast(:offsets as bigint[])) as u(t, p, o)
on conflict (consumer, topic, partition) do update set next_offset = excluded.next_offset
""")


async def of(session: AsyncSession, consumer: str, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
    """Where to go on, per topic and partition; what was never read is absent."""
    wanted = set(partitions)
    rows = await session.execute(select(fences.c.topic, fences.c.partition, fences.c.next_offset).where(fences.c.consumer == consumer))
    return {(topic, partition): offset for topic, partition, offset in rows if (topic, partition) in wanted}


async def lock(session: AsyncSession, consumer: str, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
    """As ``of``, held until the transaction's end: a consumer that was thought dead waits, and then sees how far another came."""
    wanted = sorted(set(partitions))
    rows = await session.execute(
        text(
            "select f.topic, f.partition, f.next_offset from fences f"
            " join unnest(cast(:topics as text[]), cast(:partitions as int[])) as u(t, p) on f.topic = u.t and f.partition = u.p"
            " where f.consumer = :consumer order by f.topic, f.partition for update of f"
        ),
        {"consumer": consumer, "topics": [topic for topic, _ in wanted], "partitions": [partition for _, partition in wanted]},
    )
    return {(topic, partition): offset for topic, partition, offset in rows}


async def advance(session: AsyncSession, consumer: str, reached: Mapping[TopicPartition, int]) -> None:
    """Say that everything below these offsets has taken effect."""
    places = sorted(reached)
    await session.execute(
        _ADVANCE,
        {
            "consumer": consumer,
            "topics": [topic for topic, _ in places],
            "partitions": [partition for _, partition in places],
            "offsets": [reached[place] for place in places],
        },
    )


async def rewind(session: AsyncSession, consumer: str, moved: Mapping[TopicPartition, tuple[int, int]]) -> None:
    """Set fences back, ``(from, to)``; one that somebody moved meanwhile stays."""
    for (topic, partition), (stood, start) in sorted(moved.items()):
        c = fences.c
        here = (c.consumer == consumer, c.topic == topic, c.partition == partition, c.next_offset == stood)
        await session.execute(update(fences).where(*here).values(next_offset=start))
