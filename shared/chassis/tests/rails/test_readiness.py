"""Readiness tells the truth: which of the things that a process needs is not there, by its name, and when it is back."""

import dataclasses
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest
import structlog
from aiokafka import AIOKafkaProducer
from house import houses, process
from house.consuming import Teller, an_envelope, as_owner, has
from house.proxy import proxy_to
from house.records import HouseOrdered
from house.relaying import a_partner, drained
from house.running import failing, in_here, until_ready

from chassis.database import ApiDatabase, DatabaseSettings, WorkerDatabase
from chassis.ids import new_id
from chassis.service import Part, Service
from chassis.settings import ServiceSettings
from chassis_testing.topics import Topics
from chassis_testing.waiting import eventually
from onebox import postgres as server
from onebox.postgres import PostgresAddress

NOWHERE = "127.0.0.1:1"
TOPICS = ("house.built", "house.changed", "house.ordered")


@pytest.fixture
async def all_topics(topics: Topics) -> Topics:
    await topics.create(*TOPICS)
    return topics


@pytest.fixture
async def teller(topics: Topics) -> AsyncIterator[Teller]:
    async with AIOKafkaProducer(bootstrap_servers=topics.kafka) as producer:
        yield Teller(producer, topics.prefix)


async def names(client: httpx.AsyncClient, *expected: str) -> None:
    """Wait until the failing checks are among these and at least one is."""

    async def look() -> bool:
        found = await failing(client)
        assert found, found
        assert found <= set(expected), found
        return True

    await eventually(look, within=40)


@asynccontextmanager
async def locked(settings: DatabaseSettings, postgres: PostgresAddress, table: str) -> AsyncIterator[None]:
    connection = await server.connect(postgres, settings.name, settings.service)
    try:
        async with connection.transaction():
            await connection.execute(f"lock table {table}")
            yield
    finally:
        await connection.close()


@pytest.mark.parametrize("held", ["reads", "changes"])
async def test_a_pool_whose_connections_are_all_held(
    fresh_database: DatabaseSettings, all_topics: Topics, monkeypatch: pytest.MonkeyPatch, held: str
) -> None:
    opened: list[ApiDatabase] = []
    open_it = ApiDatabase.open

    async def noted(database: ApiDatabase) -> None:
        opened.append(database)
        await open_it(database)

    monkeypatch.setattr(ApiDatabase, "open", noted)
    async with in_here(fresh_database, all_topics, parts={"api"}) as client:
        await until_ready(client)
        async with AsyncExitStack() as holding:
            for _ in range(8):
                await holding.enter_async_context(opened[0].read(a_partner()) if held == "reads" else opened[0].change(a_partner()))
            assert f'database_connections_in_use{{pool="{held}"}} 8.0' in (await client.get("/metrics")).text
            await names(client, "database for requests")
        await until_ready(client)


async def test_rights_are_followed_while_work_holds_all_its_connections(
    fresh_database: DatabaseSettings, worker_database: WorkerDatabase, all_topics: Topics, teller: Teller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rights that go stale send every request to customers."""
    opened: list[WorkerDatabase] = []
    open_it = WorkerDatabase.open

    async def noted(database: WorkerDatabase) -> None:
        opened.append(database)
        await open_it(database)

    def of_rights(settings: ServiceSettings) -> Service:
        usual = process.service(settings)
        return dataclasses.replace(usual, consumers=[dataclasses.replace(one, hears_beats=True) for one in usual.consumers])

    monkeypatch.setattr(WorkerDatabase, "open", noted)
    async with in_here(fresh_database, all_topics, parts={"worker"}, service=of_rights) as client:
        await until_ready(client)
        async with AsyncExitStack() as holding:
            for _ in range(8):
                work = await holding.enter_async_context(opened[0].work())
                await work.session.connection()
            assert 'database_connections_in_use{pool="work"} 8.0' in (await client.get("/metrics")).text
            await teller.tell(an_envelope("house.ordered", new_id(), 1), HouseOrdered(name="Villa").payload())
            await has(worker_database, "Villa")
        await until_ready(client)


async def test_a_postgresql_that_is_away(fresh_database: DatabaseSettings, all_topics: Topics) -> None:
    async with proxy_to(fresh_database.host, fresh_database.port) as proxy:
        settings = dataclasses.replace(fresh_database, host="127.0.0.1", port=proxy.port)
        async with in_here(settings, all_topics) as client:
            await until_ready(client)
            with structlog.testing.capture_logs() as said:
                proxy.cut()

                async def noticed() -> bool:
                    return {"database for requests", "database for work"} <= await failing(client)

                await eventually(noticed, within=40)
            proxy.drop()
            await until_ready(client)

    assert {"database for requests", "database for work"} <= {line["check"] for line in said if line["event"] == "check_failed"}


async def test_a_kafka_that_is_away(fresh_database: DatabaseSettings, all_topics: Topics) -> None:
    async with in_here(fresh_database, all_topics, kafka=NOWHERE) as client:

        async def noticed() -> bool:
            return {"houses works", "relay works"} <= await failing(client)

        await eventually(noticed, within=40)
    async with in_here(fresh_database, all_topics, parts={"api"}, kafka=NOWHERE) as client:
        await until_ready(client)


@pytest.mark.parametrize("part", ["api", "worker", "relay"])
async def test_a_migration_that_is_missing(fresh_database: DatabaseSettings, all_topics: Topics, part: Part) -> None:
    await as_owner(fresh_database, "update service_version set version_num = '0000'")
    async with in_here(fresh_database, all_topics, parts={part}) as client:

        async def only_that() -> bool:
            return await failing(client) == {"schema"}

        await eventually(only_that, within=40)
        await as_owner(fresh_database, "update service_version set version_num = '0001'")
        await until_ready(client)


async def test_a_relay_that_gets_nowhere(fresh_database: DatabaseSettings, topics: Topics) -> None:
    async with in_here(fresh_database, topics, parts={"relay"}, kafka=NOWHERE) as client:
        await names(client, "relay works")


async def test_a_topic_that_is_missing_makes_nobody_unready(
    fresh_database: DatabaseSettings, api_database: ApiDatabase, worker_database: WorkerDatabase, topics: Topics
) -> None:
    async with api_database.change(a_partner()) as tx:
        await houses.build(tx, "Villa")
    async with in_here(fresh_database, topics, parts={"relay"}) as client:
        await drained(worker_database)
        await until_ready(client)


async def test_a_consumer_that_gets_nowhere(
    fresh_database: DatabaseSettings, worker_database: WorkerDatabase, all_topics: Topics, postgres: PostgresAddress, teller: Teller
) -> None:
    async with in_here(fresh_database, all_topics, parts={"worker"}) as client:
        await until_ready(client)
        async with locked(fresh_database, postgres, "houses"):
            await teller.tell(an_envelope("house.ordered", new_id(), 1), HouseOrdered(name="Villa").payload())
            await names(client, "houses works")
        await until_ready(client)

    async with worker_database.direct() as connection:
        assert await connection.fetchval("select count(*) from houses") == 1
