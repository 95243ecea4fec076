"""One relay leads; whatever becomes of it, another goes on within ten seconds, and nothing is lost or out of order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import aiokafka.client as kafka_client
import pytest
from aiokafka.conn import create_conn
from house import houses
from house.proxy import proxy_to
from house.records import HouseBuilt
from house.relaying import a_partner, drained, leads, relay_process, relaying, versions
from structlog.testing import capture_logs

from chassis.clock import SystemClock
from chassis.database import ApiDatabase, DatabaseSettings, WorkerDatabase
from chassis.database.locks import Lock
from chassis.principal import Principal
from chassis_testing.topics import Topics
from chassis_testing.waiting import eventually

TAKE_THE_LOCK_AWAY = f"""
select pg_terminate_backend(l.pid) from pg_locks l join pg_database d on d.oid = l.database
 where l.locktype = 'advisory' and l.objid = {Lock.LEADING:d} and d.datname = current_database()
"""  # noqa: S608 (a number of ours)


@asynccontextmanager
async def renaming(database: ApiDatabase, partner: Principal, names: int) -> AsyncIterator[dict[str, list[int]]]:
    """Rename houses again and again meanwhile; gives the versions that each must show."""
    async with database.change(partner) as tx:
        built = [(await houses.build(tx, f"House {number}")).id for number in range(4)]

    async def rename_some() -> None:
        for turn in range(names):
            async with database.change(partner) as tx:
                for house_id in built:
                    await houses.rename(tx, house_id, f"turn {turn}")

    renames = asyncio.create_task(rename_some())
    yield {str(house_id): list(range(1, names + 2)) for house_id in built}
    await renames


async def test_two_relays_at_once_publish_everything_once_and_in_order(
    api_database: ApiDatabase, worker_database: WorkerDatabase, topics: Topics
) -> None:
    await topics.create("house.built", "house.changed")
    async with relaying(worker_database, topics) as first, relaying(worker_database, topics) as second:
        async with renaming(api_database, a_partner(), 40) as expected:
            await eventually(lambda: _holds(first.leading or second.leading))
        await drained(worker_database)
        assert [first.leading, second.leading].count(True) == 1

    assert await versions(topics) == expected
    assert len(await topics.everything("house.changed")) == 4 * 41


async def _holds(condition: bool) -> bool:  # noqa: FBT001
    return condition


async def test_a_leader_whose_lock_is_taken_away_stops_leading_and_nothing_is_lost(
    api_database: ApiDatabase, worker_database: WorkerDatabase, topics: Topics
) -> None:
    await topics.create("house.built", "house.changed")
    async with relaying(worker_database, topics), relaying(worker_database, topics), renaming(api_database, a_partner(), 60) as expected:
        for _ in range(4):
            await asyncio.sleep(0.3)
            async with worker_database.direct() as connection:
                await connection.execute(TAKE_THE_LOCK_AWAY)
        await drained(worker_database)

    assert await versions(topics) == expected


async def test_another_goes_on_after_kill_nine(
    api_database: ApiDatabase, worker_database: WorkerDatabase, fresh_database: DatabaseSettings, topics: Topics
) -> None:
    await topics.create("house.built", "house.changed")
    async with relay_process(fresh_database, topics) as first:
        await first.says("relay_leads")
        async with relaying(worker_database, topics) as second:
            async with renaming(api_database, a_partner(), 60) as expected:
                await asyncio.sleep(0.2)
                await first.kill()
            await leads(second)
            await drained(worker_database)

    assert await versions(topics) == expected


async def test_a_leader_that_sleeps_while_it_reads_loses_its_lock(
    api_database: ApiDatabase, worker_database: WorkerDatabase, fresh_database: DatabaseSettings, topics: Topics
) -> None:
    await topics.create("house.built", "house.changed")
    partner = a_partner()
    async with api_database.change(partner) as tx:
        house = await houses.build(tx, "Villa")
        about = tx.entity("house", house.id, version=house.version, customer_id=house.customer_id)
        for _ in range(250):
            tx.tell(HouseBuilt(name="Villa " * 10_000), about=about)

    async with relay_process(fresh_database, topics, sleeps="reading") as sleeper:
        await sleeper.sleeps()
        assert await _client_of(worker_database) == "ClientWrite"
        async with api_database.change(partner) as tx:
            await houses.rename(tx, house.id, "Palace")
        async with relaying(worker_database, topics) as second:
            await leads(second)
            await drained(worker_database)

    assert await versions(topics) == {str(house.id): [1, 2]}
    assert len(await topics.everything("house.built")) == 252


async def _any_out(topics: Topics) -> bool:
    return any(await topics.sizes("house.changed"))


async def _client_of(database: WorkerDatabase) -> str:
    """What the server waits for at the relay's connection."""
    async with database.direct() as connection:
        wait = "select wait_event from pg_stat_activity where application_name = 'licensing relay' and datname = current_database()"
        return str(await connection.fetchval(wait))


async def test_a_leader_that_is_cut_off_from_the_database_is_replaced_and_stands_by_again(
    api_database: ApiDatabase, worker_database: WorkerDatabase, fresh_database: DatabaseSettings, topics: Topics
) -> None:
    await topics.create("house.built", "house.changed")
    async with proxy_to(fresh_database.host, fresh_database.port) as proxy:
        far = WorkerDatabase(replace(fresh_database, host="127.0.0.1", port=proxy.port), SystemClock())
        async with relaying(far, topics) as first:
            await leads(first)
            async with relaying(worker_database, topics) as second, renaming(api_database, a_partner(), 30) as expected:
                proxy.cut()
                await leads(second)
                await drained(worker_database)
                proxy.restore()

                async def stands_by() -> bool:
                    return not first.leading and first.failures == 0

                await eventually(stands_by)
                assert second.leading
        await far.close()

    assert await versions(topics) == expected


@pytest.mark.parametrize("under_way", ["late", "lost"])
async def test_a_broker_that_does_not_answer_costs_time_and_nothing_else(
    api_database: ApiDatabase, worker_database: WorkerDatabase, topics: Topics, monkeypatch: pytest.MonkeyPatch, under_way: str
) -> None:
    await topics.create("house.built", "house.changed")
    host, port = topics.kafka.split(":")
    async with proxy_to(host, int(port)) as proxy:
        with monkeypatch.context() as through:  # the broker says its own address: every connection is led through the proxy
            through.setattr(kafka_client, "create_conn", lambda host, _port, **options: create_conn(host, proxy.port, **options))
            async with relaying(worker_database, topics) as relay:
                async with renaming(api_database, a_partner(), 40) as expected:
                    await eventually(lambda: _any_out(topics))
                    with capture_logs() as logged:
                        proxy.cut()
                        await eventually(lambda: _holds(relay.failures > 0))
                (proxy.restore if under_way == "late" else proxy.drop)()
                await drained(worker_database)
                await eventually(lambda: _holds(relay.failures == 0 and relay.leading))

    assert next(line["reason"] for line in logged if line["event"] == "relay_interrupted") == "TimeoutError"
    assert await versions(topics) == expected


async def test_a_producer_is_renewed_after_its_term_without_a_pause(
    api_database: ApiDatabase, worker_database: WorkerDatabase, topics: Topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chassis.relay.leading._TERM", 0.1)
    await topics.create("house.built", "house.changed")
    async with relaying(worker_database, topics):
        async with renaming(api_database, a_partner(), 60) as expected:
            pass
        await drained(worker_database)

    assert await versions(topics) == expected
    assert len(await topics.everything("house.changed")) == 4 * 61
