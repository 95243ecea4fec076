"""What was told reaches Kafka: nothing is lost, order is kept per entity, and only what was acknowledged is deleted."""

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from house import houses
from house.records import HouseChanged

from chassis import outbox
from chassis.database import ApiDatabase, WorkerDatabase
from chassis.ids import new_id
from chassis.principal import Principal
from chassis.relay import Relay, in_order
from chassis_testing.topics import Topics
from chassis_testing.waiting import eventually
from contracts.partitions import partition_for

TAKE_THE_LOCK_AWAY = """
select pg_terminate_backend(l.pid) from pg_locks l join pg_database d on d.oid = l.database
 where l.locktype = 'advisory' and d.datname = current_database() and l.pid <> pg_backend_pid()
"""


@asynccontextmanager
async def relaying(database: WorkerDatabase, topics: Topics) -> AsyncIterator[Relay]:
    relay = Relay(database, kafka=topics.kafka, prefix=topics.prefix)
    task = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        relay.stop()
        await task


def a_partner() -> Principal:
    return Principal(kind="partner", user_id=new_id(), partner_id=new_id(), gen=1)


async def left(database: WorkerDatabase) -> int:
    async with database.direct() as connection:
        return int(await connection.fetchval("select count(*) from outbox"))


async def drained(database: WorkerDatabase) -> None:
    async def empty() -> bool:
        return await left(database) == 0

    await eventually(empty, within=30)


async def test_a_fact_and_its_state_arrive_with_the_same_version(
    api_database: ApiDatabase, worker_database: WorkerDatabase, topics: Topics
) -> None:
    await topics.create("house.built", "house.changed")
    async with api_database.change(a_partner()) as tx:
        house = await houses.build(tx, "Villa")

    async with relaying(worker_database, topics):
        await drained(worker_database)

    (fact,), (state,) = await topics.everything("house.built"), await topics.everything("house.changed")
    assert fact.key == str(house.customer_id).encode()
    assert state.key == str(house.id).encode()
    assert fact.envelope.aggregate_version == state.envelope.aggregate_version == 1
    assert state.envelope.causation_id == str(fact.envelope.id)
    assert fact.partition == state.partition == partition_for(house.customer_id, 2)
    assert HouseChanged.read(state.payload or b"").state.name == "Villa"


async def test_what_a_transaction_that_fails_told_is_never_published(
    api_database: ApiDatabase, worker_database: WorkerDatabase, topics: Topics
) -> None:
    await topics.create("house.built", "house.changed")

    async def build_and_fail() -> None:
        async with api_database.change(a_partner()) as tx:
            await houses.build(tx, "Castle in the air")
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        await build_and_fail()

    async with relaying(worker_database, topics):
        await drained(worker_database)

    assert await topics.everything("house.built") == []


async def test_racing_writers_lose_nothing_and_keep_the_order_of_each_entity(
    api_database: ApiDatabase, worker_database: WorkerDatabase, topics: Topics
) -> None:
    await topics.create("house.built", "house.changed")
    partner = a_partner()
    async with api_database.change(partner) as tx:
        built = [(await houses.build(tx, f"House {number}")).id for number in range(8)]

    async def rename_some(seed: int) -> None:
        dice = random.Random(seed)  # noqa: S311 (a schedule, no secret)
        for turn in range(40):
            async with api_database.change(partner) as tx:
                await houses.rename(tx, built[seed], f"House {seed} after {turn}")
                await asyncio.sleep(dice.random() / 200)

    async with relaying(worker_database, topics):
        await asyncio.gather(*(rename_some(seed) for seed in range(8)))
        await drained(worker_database)

    versions = defaultdict(list)
    for one in await topics.everything("house.changed"):
        versions[one.envelope.subject].append(one.envelope.aggregate_version)
    assert dict(versions) == {house_id: list(range(1, 42)) for house_id in built}


async def test_a_row_that_commits_late_is_swept_up(api_database: ApiDatabase, worker_database: WorkerDatabase, topics: Topics) -> None:
    await topics.create("house.built", "house.changed")
    async with relaying(worker_database, topics):
        async with api_database.change(a_partner()) as late:
            await houses.build(late, "Late")
            await late.session.flush()
            await outbox.write(late.session, late.told)
            late.told.clear()
            for number in range(20):
                async with api_database.change(a_partner()) as early:
                    await houses.build(early, f"Early {number}")

            async def only_the_late_one_waits() -> bool:
                return await left(worker_database) == 0

            await eventually(only_the_late_one_waits)
        await drained(worker_database)

    assert len(await topics.everything("house.built")) == 21


async def test_only_one_relay_leads_and_another_takes_over(
    api_database: ApiDatabase, worker_database: WorkerDatabase, topics: Topics
) -> None:
    await topics.create("house.built", "house.changed")
    async with relaying(worker_database, topics) as first:

        async def first_leads() -> bool:
            return first.leading

        await eventually(first_leads)
        async with relaying(worker_database, topics) as second:
            async with worker_database.direct() as connection:
                await connection.execute(
                    "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and pid <> pg_backend_pid()"
                )
            async with api_database.change(a_partner()) as tx:
                await houses.build(tx, "Villa")
            await drained(worker_database)
            assert [first.leading, second.leading].count(True) <= 1

    assert len({one.envelope.id for one in await topics.everything("house.built")}) == 1


def test_an_acknowledged_row_stays_while_an_earlier_one_of_its_entity_waits() -> None:
    first, second = new_id(), new_id()
    rows = [{"id": number, "entity": entity} for number, entity in enumerate([first, second, first, second])]

    assert in_order(rows, {1, 2, 3}) == [1, 3]  # type: ignore[arg-type]  # rows of asyncpg are mappings
