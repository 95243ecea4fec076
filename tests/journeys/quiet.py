"""When the suite is quiet: all that was told is published, all that was published is read, and nothing is to be done soon.

What is there then is all there will be, so it can be counted. Beats never end, and say nothing.
"""

from collections.abc import Mapping
from typing import Final

from aiokafka import TopicPartition

from chassis_testing.topics import Topics
from chassis_testing.waiting import eventually
from contracts import beats
from onebox import postgres
from onebox.postgres import SERVICES
from onebox.suite import Suite
from simulator import letters

type Ends = Mapping[TopicPartition, int]
type Reached = Mapping[tuple[str, str, int], int]
"""By reader, topic and partition."""

_UNDONE: Final = {
    "not published": "select topic, lane, reason from outbox where partition_key is not null",
    "to be done": "select kind, retry_at, last_error from due where not sandbox and retry_at <= now() + interval '2 minutes'",
    "parked": "select handler, topic, subject from parked where settled_at is null",
}
_READ: Final = """
select p.consumer, p.topic, p.partition, coalesce(f.next_offset, 0) as reached
  from progress p left join fences f using (consumer, topic, partition)
"""


async def until_quiet(suite: Suite, *, within: float) -> None:
    """Wait until the suite is quiet twice in a row with nothing published in between; seconds.

    One look does not suffice: it takes a while, and something could pass from where it has not looked yet to where it has.
    """
    seen: list[Ends] = []

    async def look() -> bool:
        seen.append(await _quiet(suite))
        return seen[-2:-1] == seen[-1:]

    await eventually(look, within=within, every=0.3)


async def _quiet(suite: Suite) -> Ends:
    """Where the topics end.

    Raises:
        AssertionError: something is on its way.
    """
    reached = {place: offset for service in SERVICES for place, offset in (await _left_nothing(suite, service)).items()}
    reached |= await _billed(suite)
    topics = Topics(suite.kafka, "")
    named = {topic for _, topic, _ in reached} | {*letters.topics("")}
    ends = await topics.ends(*named - beats.ACCESS) | await topics.ends_without_beats(*named & beats.ACCESS)
    readers = {place[:2] for place in reached} | {("billing", topic) for topic in letters.topics("")}
    places = [(reader, *place) for place in ends for reader, topic in readers if topic == place.topic]
    behind = [place for place in places if reached.get(place, 0) < ends[TopicPartition(*place[1:])]]
    assert not behind, behind
    return ends


async def _left_nothing(suite: Suite, service: str) -> Reached:
    """How far the consumers of a service that has nothing left to do have come."""
    connection = await postgres.connect(suite.postgres, service)
    try:
        for undone, sql in _UNDONE.items():
            rows = await connection.fetch(sql)
            assert not rows, (service, undone, rows)
        return {(consumer, topic, partition): offset for consumer, topic, partition, offset in await connection.fetch(_READ)}
    finally:
        await connection.close()


async def _billed(suite: Suite) -> Reached:
    connection = await postgres.connect(suite.postgres, "billing")
    try:
        rows = await connection.fetch("select topic, partition, next_offset from fences")
        return {("billing", topic, partition): offset for topic, partition, offset in rows}
    finally:
        await connection.close()
