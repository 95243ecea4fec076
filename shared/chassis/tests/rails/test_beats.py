"""A beat proves that everything urgent that was committed before it has been sent; it comes each second, once, and is nobody's state."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import ClassVar

from aiokafka import AIOKafkaProducer
from house.consuming import FOLLOWING, Teller, an_envelope, building, consuming, has, reasons
from house.records import HouseBuilt
from house.relaying import a_partner, drained, leads, left
from sqlalchemy import text

from chassis.clock import SystemClock
from chassis.consumers.brake import Brake
from chassis.database import ApiDatabase, Transaction, WorkerDatabase, outbox
from chassis.database.outbox import Lane
from chassis.ids import new_id
from chassis.relay import Relay
from chassis.relay.beating import Heart
from chassis.relay.publishing import Batch, Outcome, _take_back
from chassis.relay.reading import PLANNING, WAVE, Reader
from chassis_testing.topics import Topics
from chassis_testing.waiting import eventually
from contracts.records import Fact

URGENT = "user.changed"


class ClerkSeated(Fact):
    """Stands in a topic that is beaten each second."""

    topic: ClassVar[str] = URGENT
    aggregate: ClassVar[str] = "user"


class ClerkHired(Fact):
    """Stands in a topic of its own."""

    topic: ClassVar[str] = "clerk.hired"
    aggregate: ClassVar[str] = "user"


def a_heart(*topics: str) -> Heart:
    return Heart("customers", topics, SystemClock())


@asynccontextmanager
async def beating(database: WorkerDatabase, topics: Topics, *names: str) -> AsyncIterator[Relay]:
    relay = Relay(database, kafka=topics.kafka, prefix=topics.prefix, heart=a_heart(*names))
    task = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        relay.stop()
        await task


async def seat(tx: Transaction) -> str:
    clerk = tx.new_id()
    tx.tell(ClerkSeated(), about=tx.entity("user", clerk, version=1))
    return str(clerk)


async def written(tx: Transaction) -> None:
    """What was told is in the outbox, and the transaction is still open."""
    await outbox.write(tx.session, tx.told)
    tx.told.clear()


async def flood(database: WorkerDatabase, rows: int) -> None:
    """So many rows of bulk work wait to be sent."""
    async with database.work() as work:
        await work.session.execute(
            text("""
            insert into outbox (lane, entity, topic, key, partition_key, event_id, headers, payload)
            select 2, gen_random_uuid(), 'house.built', 'bulk', gen_random_uuid(), gen_random_uuid(), '[["ce_type", "house.built"]]', '{}'
              from generate_series(1, :rows)"""),
            {"rows": rows},
        )


async def until_beaten(topics: Topics, name: str, times: int) -> None:
    async def look() -> bool:
        told = await topics.beats(name)
        return len({one.at for one in told}) >= times

    await eventually(look, within=20)


async def test_a_beat_comes_each_second_into_every_partition_under_one_key(worker_database: WorkerDatabase, topics: Topics) -> None:
    await topics.create(URGENT, "offer.changed", partitions=3)
    async with beating(worker_database, topics, URGENT, "offer.changed"):
        await until_beaten(topics, URGENT, 3)

    told = await topics.beats(URGENT)
    assert {one.partition for one in told} == {0, 1, 2}
    assert {(one.key, one.payload) for one in told} == {(b"beat", b"{}")}
    seldom = await topics.beats("offer.changed")
    assert sorted(one.partition for one in seldom) == [0, 1, 2]
    assert await left(worker_database) == 0


async def test_no_beat_passes_what_is_set_aside(api_database: ApiDatabase, worker_database: WorkerDatabase, topics: Topics) -> None:
    """A clerk's row waits behind one whose topic is missing; its topic's first beat comes after it, and it is as urgent as before."""
    await topics.create(URGENT, partitions=1)
    async with api_database.change(a_partner()) as tx:
        about = tx.entity("user", tx.new_id(), version=1)
        tx.tell(ClerkHired(), about=about)
        tx.tell(ClerkSeated(), about=about)
    async with beating(worker_database, topics, URGENT, "offer.changed"):
        await drained(worker_database)
        async with worker_database.direct() as connection:
            aside = await connection.fetch("select topic, parked_from from outbox where lane = 3 order by id")
            await a_heart(URGENT).beat(connection)
        assert aside == [("clerk.hired", Lane.URGENT), (URGENT, Lane.URGENT)]
        assert await left(worker_database) == 0
        assert await topics.sizes(URGENT) == [0]

        await topics.create("clerk.hired", "offer.changed", partitions=1)
        await until_beaten(topics, URGENT, 1)

    (seated,) = await topics.everything(URGENT)
    assert seated.offset == 0


async def test_two_replicas_beat_once(worker_database: WorkerDatabase, topics: Topics) -> None:
    await topics.create(URGENT, partitions=1)
    async with beating(worker_database, topics, URGENT), beating(worker_database, topics, URGENT):
        await until_beaten(topics, URGENT, 4)

    times = sorted({one.at for one in await topics.beats(URGENT)})
    assert all(later - earlier > timedelta(seconds=0.9) for earlier, later in pairwise(times))


async def test_when_the_broker_is_away_one_beat_of_a_topic_waits_and_no_more(worker_database: WorkerDatabase) -> None:
    async with worker_database.direct() as connection:
        for _ in range(3):
            await a_heart(URGENT, "role.changed").beat(connection)

    assert await left(worker_database) == 2


async def test_a_beat_passes_nothing_urgent_that_was_committed_before_it(
    api_database: ApiDatabase, worker_database: WorkerDatabase
) -> None:
    """A row that commits late has an id below the mark, where no one looks while much is going on; a beat makes them look."""
    async with api_database.change(a_partner(), lane=Lane.BULK) as tx:
        for number in range(4 * WAVE):
            tx.tell(HouseBuilt(name=str(number)), about=tx.entity("house", tx.new_id(), version=1))

    async with worker_database.direct(**PLANNING) as connection:
        reader = Reader(connection)
        async with api_database.change(a_partner()) as late:
            await seat(late)
            await written(late)
            async with api_database.change(a_partner()) as tx:
                await seat(tx)
            assert [row["topic"] for row in await reader.wave()].count(URGENT) == 1
        await a_heart(URGENT).beat(connection)
        wave = await reader.wave()

    assert [(row["topic"], row["partition_key"] is None) for row in wave][:3] == [
        (URGENT, False),
        (URGENT, False),
        (URGENT, True),
    ]


async def test_beats_keep_their_promise_under_late_commits_and_a_flood(
    api_database: ApiDatabase, worker_database: WorkerDatabase, topics: Topics
) -> None:
    """Whatever was committed before a beat's time stands before it in its partition."""
    await topics.create(URGENT, "house.built")
    await flood(worker_database, 100_000)
    committed: dict[str, datetime] = {}

    async def seat_some(seed: int) -> None:
        dice = random.Random(seed)  # noqa: S311 (a schedule, no secret)
        for _ in range(30):
            async with api_database.change(a_partner()) as tx:
                clerk = await seat(tx)
                await written(tx)
                await asyncio.sleep(dice.choice([0, 0, 0.02, 0.1, 0.3]))
            committed[clerk] = datetime.now(UTC)

    async with beating(worker_database, topics, URGENT):
        await asyncio.gather(*(seat_some(seed) for seed in range(8)))
        await drained(worker_database, within=120)

    seated = {str(one.envelope.subject): one for one in reversed(await topics.everything(URGENT))}
    told = await topics.beats(URGENT)
    assert len(seated) == len(committed) == 240
    passed = [
        (clerk, beat)
        for clerk, one in seated.items()
        for beat in told
        if beat.partition == one.partition and beat.at > committed[clerk] and beat.offset < one.offset
    ]
    assert passed == []
    assert len({beat.at for beat in told}) > 1


def test_a_beat_is_out_when_every_partition_has_it() -> None:
    there, here = Batch(None, ids=[1, 7], acknowledged=True), Batch(None, ids=[2, 7])
    outcome = Outcome(acknowledged={1, 7})

    _take_back([there, here], outcome)

    assert outcome.acknowledged == {1}


async def test_readers_of_states_pass_over_beats(worker_database: WorkerDatabase, topics: Topics) -> None:
    """Neither a read model nor an effect nor the parking lot ever sees one, and one bad record among many beats is as bad as alone."""
    await topics.create("house.built", "house.changed")
    brake = Brake()
    async with beating(worker_database, topics, "house.built", "house.changed") as relay:
        await leads(relay)
        async with AIOKafkaProducer(bootstrap_servers=topics.kafka) as producer:
            teller = Teller(producer, topics.prefix)
            async with consuming(worker_database, topics, FOLLOWING, building, brake=brake):
                await teller.tell_changed(new_id(), new_id(), "Villa", 1)
                await teller.tell(an_envelope("house.built", new_id(), 1), b"{}")
                await until_beaten(topics, "house.changed", 1)
                await has(worker_database, "Villa")
                await eventually(lambda: _all_read(worker_database, topics))

    assert [reason.partition(":")[0] for reason in await reasons(worker_database)] == ["cannot be read"]
    assert brake._read.total().total() == 2


async def _all_read(database: WorkerDatabase, topics: Topics) -> bool:
    ends = await topics.ends("house.built", "house.changed")
    async with database.direct() as connection:
        fences = {(row["topic"], row["partition"]): row["next_offset"] for row in await connection.fetch("select * from fences")}
    return all(fences.get((place.topic, place.partition)) == end for place, end in ends.items())
