"""SIGTERM drains: what is in hand is finished, what is not is left for the next process, and nothing is lost or doubled."""

import asyncio
from collections import Counter

from aiokafka import AIOKafkaProducer
from house import houses
from house.consuming import Teller, an_envelope
from house.records import HouseOrdered
from house.relaying import a_partner, drained
from house.running import Child, out_there

from chassis import due
from chassis.clock import SystemClock
from chassis.database import ApiDatabase, DatabaseSettings, WorkerDatabase
from chassis.ids import new_id
from chassis_testing.topics import Topics
from chassis_testing.waiting import eventually
from onebox import postgres as server
from onebox.postgres import PostgresAddress

ORDERED = [f"ordered {number}" for number in range(40)]
BULK = 3000


async def test_all_that_is_in_hand_is_finished_and_the_process_ends_well(
    fresh_database: DatabaseSettings, api_database: ApiDatabase, worker_database: WorkerDatabase, topics: Topics, postgres: PostgresAddress
) -> None:
    """A request is answered, a batch and due work take effect, what the broker took of a wave is deleted; then it exits with 0."""
    await topics.create("house.built", "house.changed", "house.ordered")
    async with out_there(fresh_database, topics) as first:
        asked = await take_on(first, api_database, topics)
        await in_hand(fresh_database, postgres)
        told = asyncio.create_task(tell_much(api_database))
        await relaying(worker_database)

        assert await first.end() == 0
        await told

        assert (await asked).status_code == 201
        assert {"asked slow", "due slow", "ordered slow"} <= set(await built(worker_database))
        assert await due_left(worker_database) == 0
        assert not await unsent(worker_database) & await sent(topics)

    async with out_there(fresh_database, topics) as second:
        await eventually(lambda: everything(worker_database), within=60)
        await drained(worker_database, within=60)
        assert await second.end() == 0

    times = Counter(str(one.envelope.id) for one in await topics.everything("house.built"))
    assert set(times.values()) == {1}
    assert len(times) == len(await built(worker_database)) == len(ORDERED) + 3 + BULK


async def take_on(child: Child, database: ApiDatabase, topics: Topics) -> "asyncio.Task[object]":
    """Give it something slow of each kind: a request, due work, a batch with more behind it."""
    partner = a_partner()
    async with database.change(partner) as tx:
        await due.plan(tx, "house.build", new_id(), slot="due slow", at=SystemClock().now())
    async with AIOKafkaProducer(bootstrap_servers=topics.kafka) as producer:
        for name in ("ordered slow", *ORDERED):
            await Teller(producer, topics.prefix).tell(an_envelope("house.ordered", new_id(), 1), HouseOrdered(name=name).payload())
    return asyncio.create_task(child.client.post("/v1/houses/asked slow", params={"partner_id": str(partner.partner_id)}))


async def in_hand(settings: DatabaseSettings, postgres: PostgresAddress) -> None:
    """Wait until the request, the batch and the due work are under way, all at once."""
    connection = await server.connect(postgres, settings.name, settings.service)

    async def three() -> bool:
        sleeping = "select count(*) from pg_stat_activity where datname = current_database() and state = 'active' and query like $1"
        return bool(await connection.fetchval(sleeping, "%pg_sleep(1.5)%") == 3)

    await eventually(three, within=20, every=0.02)
    await connection.close()


async def tell_much(database: ApiDatabase) -> None:
    for _ in range(3):
        async with database.change(a_partner()) as tx:
            for _ in range(BULK // 3):
                await houses.build(tx, "bulk")


async def relaying(database: WorkerDatabase) -> None:
    """Wait until there is something to relay."""

    async def some() -> bool:
        return len(await unsent(database)) > 0

    await eventually(some, within=20, every=0.001)


async def built(database: WorkerDatabase) -> list[str]:
    async with database.direct() as connection:
        return [row["name"] for row in await connection.fetch("select name from houses")]


async def everything(database: WorkerDatabase) -> bool:
    names = await built(database)
    assert sorted(name for name in names if name.startswith("ordered ")) == sorted(["ordered slow", *ORDERED])
    return True


async def due_left(database: WorkerDatabase) -> int:
    async with database.direct() as connection:
        return int(await connection.fetchval("select count(*) from due"))


async def unsent(database: WorkerDatabase) -> set[str]:
    async with database.direct() as connection:
        return {str(row["event_id"]) for row in await connection.fetch("select event_id from outbox where topic = 'house.built'")}


async def sent(topics: Topics) -> set[str]:
    return {str(one.envelope.id) for one in await topics.everything("house.built")}
