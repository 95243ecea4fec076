"""A relay that sleeps is woken by the commit, by whomever; one that is busy costs no writer a notification."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from house import houses
from house.relaying import a_partner, drained, leads, left, relaying

from chassis.database import ApiDatabase, WorkerDatabase
from chassis.database.locks import Lock
from chassis.principal import Principal
from chassis.relay import waking
from chassis.relay.waking import CHANNEL, Bell
from chassis_testing.topics import Topics
from chassis_testing.waiting import eventually


@asynccontextmanager
async def notified(database: WorkerDatabase) -> AsyncIterator[list[object]]:
    """What is heard on the relay's channel meanwhile."""
    heard: list[object] = []
    async with database.direct() as connection:
        await connection.add_listener(CHANNEL, lambda *notification: heard.append(notification))
        yield heard
        await connection.execute("select 1")


async def build(database: ApiDatabase, principal: Principal) -> None:
    async with database.change(principal) as tx:
        await houses.build(tx, "Villa")


async def rests(bell: Bell) -> None:
    """Let it look once more and then sleep."""
    await bell.rest()
    assert bell._held


async def test_a_commit_wakes_a_sleeping_relay_at_once(
    api_database: ApiDatabase, worker_database: WorkerDatabase, topics: Topics, monkeypatch: Any
) -> None:
    monkeypatch.setattr(waking, "_POLL", 4.0)
    await topics.create("house.built", "house.changed")
    async with relaying(worker_database, topics) as relay:
        await leads(relay)
        for _ in range(3):
            await eventually(lambda: _sleeps(worker_database))
            began = time.monotonic()
            await build(api_database, a_partner())
            await drained(worker_database)
            assert time.monotonic() - began < 2.0


async def _sleeps(database: WorkerDatabase) -> bool:
    async with database.direct() as connection:
        return bool(await connection.fetchval("select exists (select from pg_locks where locktype = 'advisory' and objid = $1)", Lock.BELL))


async def test_a_busy_relay_is_not_notified_and_a_sleeping_one_is(api_database: ApiDatabase, worker_database: WorkerDatabase) -> None:
    partner = a_partner()
    async with worker_database.direct() as connection:
        bell = Bell(connection, asyncio.Event())
        async with notified(worker_database) as while_nobody_sleeps:
            await build(api_database, partner)
        await rests(bell)
        async with notified(worker_database) as while_it_sleeps:
            await build(api_database, partner)
            async with worker_database.work() as work, work.item(partner.partner_id) as item:
                await houses.build(item, "By a worker")
        await bell.wake()
        async with notified(worker_database) as while_it_works:
            await build(api_database, partner)

    assert (len(while_nobody_sleeps), len(while_it_sleeps), len(while_it_works)) == (0, 2, 0)


async def test_a_relay_does_not_fall_asleep_between_a_write_and_its_commit(
    api_database: ApiDatabase, worker_database: WorkerDatabase
) -> None:
    async with worker_database.direct() as connection, worker_database.direct() as writer:
        bell = Bell(connection, asyncio.Event())
        async with writer.transaction():
            await _write(writer)
            await bell.rest()
            assert not bell._held
        await bell.rest()
        assert bell._held
    assert await left(worker_database) == 1


async def _write(connection: "asyncpg.Connection[Any]") -> None:
    await connection.execute(
        "insert into outbox (entity, topic, key, partition_key, event_id, headers)"
        " select u, 'house.built', u, u, u, '[]' from gen_random_uuid() u"
    )


async def test_nobody_rings_for_a_relay_that_is_gone(api_database: ApiDatabase, worker_database: WorkerDatabase) -> None:
    async with worker_database.direct() as connection:
        await rests(Bell(connection, asyncio.Event()))
        connection.terminate()
    await eventually(lambda: _awake(worker_database))

    async with notified(worker_database) as heard:
        await build(api_database, a_partner())

    assert heard == []


async def _awake(database: WorkerDatabase) -> bool:
    return not await _sleeps(database)
