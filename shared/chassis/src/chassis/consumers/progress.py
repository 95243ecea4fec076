"""How far a consumer's read models have come in time: up to which instant the log has taken effect, per partition.

A batch brings its partitions to the time of their last record; a partition with nothing left
to read is as of the moment when the broker said so. An instant never goes back, so what it
promises stays true: all that the log held then is here. What a teller has committed and its
relay has not yet published is not in the log; a beat promises that too, up to its own time.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import Column, DateTime, Integer, Table, Text, text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.consumers.fences import TopicPartition
from chassis.database.readers import Connection
from chassis.database.tables import Base

progress: Final = Table(
    "progress",
    Base.metadata,
    Column("consumer", Text, primary_key=True),
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("as_of", DateTime(timezone=True)),
    Column("beat_at", DateTime(timezone=True)),
)

_LEAVE: Final = text("delete from progress where consumer = :consumer and topic <> all(:topics)")
_BEGIN: Final = text("""
insert into progress (consumer, topic, partition)
select :consumer, t, p from unnest(cast(:topics as text[]), cast(:partitions as int[])) as u(t, p) order by t, p
on conflict do nothing
""")
_REACH: Final = text("""
insert into progress as known (consumer, topic, partition, as_of)
select :consumer, t, p, a from unnest(cast(:topics as text[]), cast(:partitions as int[]), cast(:instants as timestamptz[])) as u(t, p, a)
order by t, p
on conflict (consumer, topic, partition) do update set as_of = greatest(known.as_of, excluded.as_of)
""")

_HEAR: Final = text("""
update progress set beat_at = greatest(beat_at, heard.at)
  from unnest(cast(:topics as text[]), cast(:partitions as int[]), cast(:instants as timestamptz[])) as heard(topic, partition, at)
 where consumer = :consumer and progress.topic = heard.topic and progress.partition = heard.partition
""")


async def begin(session: AsyncSession, consumer: str, topics: Collection[str], partitions: Collection[TopicPartition]) -> None:
    """Note which partitions are followed, so that one of which nothing is known yet counts; other ``topics`` are followed no more."""
    await session.execute(_LEAVE, {"consumer": consumer, "topics": list(topics)})
    await session.execute(_BEGIN, {"consumer": consumer, **_columns(partitions)})


async def reach(session: AsyncSession, consumer: str, reached: Mapping[TopicPartition, datetime]) -> None:
    """Say that everything the log of these partitions held at these instants has taken effect."""
    await session.execute(_REACH, {"consumer": consumer, **_columns(reached), "instants": list(reached.values())})


async def hear(session: AsyncSession, consumer: str, heard: Mapping[TopicPartition, datetime]) -> None:
    """Say that everything its teller had committed at these instants has taken effect: a beat told then has come.

    The rows are there: ``reach`` has just been told of the same batch.
    """
    await session.execute(_HEAR, {"consumer": consumer, **_columns(heard), "instants": list(heard.values())})


async def as_of(connection: Connection, consumer: str) -> datetime | None:
    """How far the slowest partition has come, for a request's transaction; None while one has not been read at all."""
    instant: datetime | None = await connection.fetchval("select as_of from freshness where consumer = $1", consumer)
    return instant


def _columns(partitions: Collection[TopicPartition]) -> dict[str, list[str] | list[int]]:
    return {"topics": [topic for topic, _ in partitions], "partitions": [partition for _, partition in partitions]}
