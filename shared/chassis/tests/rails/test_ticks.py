"""A tick of a sandbox's clock is answered once, when nothing is due by it and nothing on its way, with what was told meanwhile (BEY-11)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from aiokafka import AIOKafkaProducer
from house import houses
from house.consuming import Teller, an_envelope, building
from house.records import HouseBuilt

from chassis import due
from chassis.consumers import Consumer, Event, fences
from chassis.consumers.events import Place
from chassis.database import WorkerDatabase
from chassis.ids import new_id
from chassis.ticks.answering import Answering
from chassis.ticks.following import FOLLOW
from chassis_testing.clock import FixedClock
from chassis_testing.told import an_envelope as told_envelope
from chassis_testing.topics import Topics
from contracts.any.clocks import PartnerClockReached
from contracts.customers.clocks import PartnerClockAdvanced

DAY = timedelta(days=1)
PARTITIONS = 2


@pytest.fixture
async def teller(topics: Topics) -> AsyncIterator[Teller]:
    await topics.create("house.built", partitions=PARTITIONS)
    producer = AIOKafkaProducer(bootstrap_servers=topics.kafka)
    await producer.start()
    yield Teller(producer, topics.prefix, partitions=PARTITIONS)
    await producer.stop()


@pytest.fixture
async def answerers(worker_database: WorkerDatabase, clock: FixedClock, topics: Topics, teller: Teller) -> AsyncIterator[list[Answering]]:
    """Four workers of one service."""
    del teller
    consumers = [Consumer(group="houses", handlers=[building])]
    made = [Answering("licensing", consumers, worker_database, clock, kafka=topics.kafka, prefix=topics.prefix) for _ in range(4)]
    yield made
    for one in made:
        await one.close()


@pytest.fixture
def answerer(answerers: list[Answering]) -> Answering:
    return answerers[0]


async def tick(database: WorkerDatabase, partner_id: UUID, until: datetime, *, version: int, standing: bool = True, at: Any = None) -> None:
    """What customers tells of the clock arrives."""
    record = PartnerClockAdvanced(tick=version, until=until, standing=standing)
    envelope = told_envelope(record, subject=partner_id, partner_id=partner_id, version=version, at=at or until)
    event = Event(envelope=envelope, record=record, place=Place(topic=record.topic, partition=0, offset=version))
    async with database.work() as work, work.item(partner_id, cause=envelope) as tx:
        await FOLLOW.handle(tx, event)


async def answers(database: WorkerDatabase) -> list[PartnerClockReached]:
    async with database.direct() as connection:
        rows = await connection.fetch("select payload from outbox where topic = 'partner.clock_reached' order by id")
    return [PartnerClockReached.read(row["payload"]) for row in rows]


async def clock_of(database: WorkerDatabase, partner_id: UUID) -> tuple[timedelta, datetime | None]:
    async with database.direct() as connection:
        row = await connection.fetchrow("select ahead, standing_at from clocks where partner_id = $1", partner_id)
    assert row is not None
    return row["ahead"], row["standing_at"]


async def published(database: WorkerDatabase) -> None:
    """The relay has taken what was told."""
    async with database.direct() as connection:
        await connection.execute("delete from outbox")


async def everything_is_read(database: WorkerDatabase, topics: Topics) -> None:
    reached = {(place.topic, place.partition): end for place, end in (await topics.ends("house.built")).items()}
    async with database.work() as work:
        await fences.advance(work.session, "houses", reached)


async def test_a_tick_waits_for_what_stands_unread_in_the_log(
    worker_database: WorkerDatabase, clock: FixedClock, topics: Topics, teller: Teller, answerer: Answering
) -> None:
    partner_id = new_id()
    await teller.tell_built("Villa", envelope=an_envelope(HouseBuilt.topic, new_id(), 1, partner_id))
    await tick(worker_database, partner_id, clock.now() + DAY, version=1)

    assert await answerer.look() == 1
    assert await answers(worker_database) == []
    await everything_is_read(worker_database, topics)

    assert await answerer.look() == 0


async def test_a_tick_waits_for_what_is_due_by_it_and_in_hand_and_says_what_is_due_next(
    worker_database: WorkerDatabase, clock: FixedClock, answerer: Answering
) -> None:
    partner_id, subject = new_id(), new_id()
    await tick(worker_database, partner_id, clock.now() + DAY, version=1)
    async with worker_database.work() as work, work.item(partner_id) as tx:
        await due.plan(tx, "house.build", subject, slot="now", at=clock.now() + DAY)
        await due.plan(tx, "house.build", new_id(), slot="later", at=clock.now() + 2 * DAY)

    assert await answerer.look() == 1
    async with worker_database.work() as work, work.item(partner_id) as tx:
        await due.withdraw(tx, "house.build", subject)
        assert await answerer.look() == 1

    assert await answerer.look() == 0
    assert await answers(worker_database) == [PartnerClockReached(tick=1, service="licensing", told=0, next_due=clock.now() + 2 * DAY)]


async def test_a_tick_waits_until_all_that_was_told_is_published(
    worker_database: WorkerDatabase, clock: FixedClock, answerer: Answering
) -> None:
    """What somebody else tells later is not waited for."""
    partner_id = new_id()
    await tick(worker_database, partner_id, clock.now() + DAY, version=1)
    async with worker_database.work() as work, work.item(partner_id) as tx:
        await houses.build(tx, "Villa")

    assert await answerer.look() == 1
    await published(worker_database)
    async with worker_database.work() as work, work.item(new_id()) as tx:
        await houses.build(tx, "somebody else's")

    assert await answerer.look() == 0
    assert [one.told for one in await answers(worker_database)] == [2]


async def test_each_answer_counts_what_was_told_since_the_last(
    worker_database: WorkerDatabase, clock: FixedClock, answerer: Answering
) -> None:
    """The answers themselves are not counted: else no round would ever be quiet."""
    partner_id = new_id()
    said: list[PartnerClockReached] = []
    for version, builds in ((1, 1), (2, 3), (3, 0)):
        await tick(worker_database, partner_id, clock.now() + DAY, version=version)
        for number in range(builds):
            async with worker_database.work() as work, work.item(partner_id) as tx:
                await houses.build(tx, f"house {number}")
        await published(worker_database)
        assert await answerer.look() == 0
        said += await answers(worker_database)

    assert [(one.tick, one.told) for one in said] == [(1, 2), (2, 6), (3, 0)]


async def test_of_four_workers_one_answers(worker_database: WorkerDatabase, clock: FixedClock, answerers: list[Answering]) -> None:
    await tick(worker_database, new_id(), clock.now() + DAY, version=1)
    await asyncio.gather(*(one.look() for one in answerers))

    assert len(await answers(worker_database)) == 1


async def test_a_clock_never_goes_back_whatever_comes_late_or_twice(worker_database: WorkerDatabase, clock: FixedClock) -> None:
    partner_id, start = new_id(), clock.now()
    async with worker_database.direct() as connection:
        await connection.execute("insert into clocks (partner_id, ahead) values ($1, $2)", partner_id, DAY)

    await tick(worker_database, partner_id, start, version=1)
    assert await clock_of(worker_database, partner_id) == (DAY, start + DAY)
    await tick(worker_database, partner_id, start + 9 * DAY, version=3)
    await tick(worker_database, partner_id, start + 5 * DAY, version=2)
    await tick(worker_database, partner_id, start + 5 * DAY, version=3, standing=False)
    assert await clock_of(worker_database, partner_id) == (DAY, start + 9 * DAY)
    await tick(worker_database, partner_id, start + 9 * DAY, version=4, standing=False, at=start)

    assert await clock_of(worker_database, partner_id) == (9 * DAY, None)


async def test_the_end_of_an_advance_asks_for_no_answer(worker_database: WorkerDatabase, clock: FixedClock, answerer: Answering) -> None:
    await tick(worker_database, new_id(), clock.now() + DAY, version=7, standing=False, at=clock.now())

    assert await answerer.look() == 0
    assert await answers(worker_database) == []
