"""A request that is given up at any moment leaks nothing: no tenant, no role, no transaction, no connection, no half a change."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable

import asyncpg
from house import houses
from house.houses import House
from sqlalchemy import bindparam, select, text

from chassis.database import ApiDatabase, DatabaseSettings, Reading, WorkerDatabase
from chassis.errors import Kind, Refusal
from chassis.ids import new_id
from chassis.principal import Principal
from chassis_testing.waiting import eventually
from onebox import postgres as server
from onebox.postgres import PostgresAddress

REQUESTS = 2000
AT_ONCE = 40
CONNECTIONS = 8
SAID = ("app.partner", "app.actor", "app.principal", "app.customer")
CARRIED = f"select current_user, session_user, {', '.join(f"coalesce(current_setting('{name}', true), '')" for name in SAID)}"
CLEAN = ("licensing_api", "licensing_api", "", "", "", "")
ALL = Reading(House, lambda r, _shape: select(r.c.id, r.c.name).where(r.c.name.like(bindparam("like"))))


class Unwanted(Refusal):
    """Nobody wants that house."""

    kind = Kind.CONFLICT
    code = "unwanted"
    remedy = "Build another."


async def test_two_thousand_requests_that_are_given_up_leave_nothing_behind(
    api_database: ApiDatabase, worker_database: WorkerDatabase, fresh_database: DatabaseSettings, postgres: PostgresAddress
) -> None:
    chance = random.Random(7)  # noqa: S311 (the same moments in each run)
    came_to = await give_up(api_database, chance)
    watcher = await server.connect(postgres, fresh_database.name)

    async def quiet() -> bool:
        busy = "select count(*) from pg_stat_activity where usename = 'licensing_api' and datname = current_database() and state <> 'idle'"
        return bool(await watcher.fetchval(busy) == 0)

    await eventually(quiet)
    held = "select count(*) from pg_stat_activity where usename = 'licensing_api' and datname = current_database()"
    assert min(came_to["cancelled"], came_to["done"], came_to["refused"]) > 0, came_to
    assert await watcher.fetchval(held) <= 2 * CONNECTIONS
    assert await changing_connections(api_database) == [CLEAN] * CONNECTIONS
    assert await reading_connections(api_database) == [CLEAN] * CONNECTIONS
    assert await watcher.fetchval(held) <= 2 * CONNECTIONS
    assert await whole(worker_database)
    await watcher.close()


async def give_up(database: ApiDatabase, chance: random.Random) -> Counter[str]:
    """Make requests of every kind, more at once than there are connections, and cancel each at some moment."""
    came_to: Counter[str] = Counter()
    places = asyncio.Semaphore(AT_ONCE)

    async def one(request: Callable[[ApiDatabase, Principal], Awaitable[None]], moment: float) -> None:
        principal = Principal(kind="partner", user_id=new_id(), partner_id=new_id(), gen=1)
        async with places:
            task = asyncio.ensure_future(request(database, principal))
            asyncio.get_running_loop().call_later(moment, task.cancel)
            (came,) = await asyncio.gather(task, return_exceptions=True)
        match came:
            case None:
                came_to["done"] += 1
            case Unwanted():
                came_to["refused"] += 1
            case asyncio.CancelledError():
                came_to["cancelled"] += 1
            case BaseException():
                raise came

    kinds = (reads, changes, is_refused, asks_at_the_door)
    await asyncio.gather(*(one(kinds[number % len(kinds)], chance.uniform(0, chance.choice((0.02, 0.2, 2)))) for number in range(REQUESTS)))
    return came_to


async def reads(database: ApiDatabase, principal: Principal) -> None:
    async with database.read(principal) as read:
        await read.rows(ALL, like="%")
        await read.rows(ALL, like="V%")


async def changes(database: ApiDatabase, principal: Principal) -> None:
    async with database.change(principal) as tx:
        for name in ("Villa", "Cottage"):
            await houses.build(tx, name)


async def is_refused(database: ApiDatabase, principal: Principal) -> None:
    async with database.change(principal) as tx:
        await houses.build(tx, "Ruin")
        raise Unwanted


async def asks_at_the_door(database: ApiDatabase, principal: Principal) -> None:
    del principal
    async with database.at_the_door() as connection:
        await connection.execute(text("select 1"))


async def changing_connections(database: ApiDatabase) -> list[tuple[str, ...]]:
    """What each connection for changes carries, all taken at once."""
    taken = [await database._engine.connect() for _ in range(CONNECTIONS)]
    drivers = [(await one.get_raw_connection()).driver_connection for one in taken]
    carried = [await carries(driver) for driver in drivers]
    for one in taken:
        await one.close()
    return carried


async def reading_connections(database: ApiDatabase) -> list[tuple[str, ...]]:
    taken = [await database._readers.take() for _ in range(CONNECTIONS)]
    carried = [await carries(one) for one in taken]
    for one in taken:
        database._readers.give(one)
    assert database._readers.in_hand == 0
    return carried


async def carries(driver: asyncpg.Connection) -> tuple[str, ...]:
    assert not driver.is_in_transaction()
    return tuple(await driver.fetchrow(CARRIED))


async def whole(database: WorkerDatabase) -> bool:
    """Each partner has both of its houses and all that was told of them, or nothing."""
    by_partner = "select array_agg(name order by name) as names from houses group by partner_id"
    by_topic = "select topic, count(*) as records from outbox where topic like 'house.%' group by topic order by topic"
    async with database.direct() as connection:
        assert {tuple(row["names"]) for row in await connection.fetch(by_partner)} == {("Cottage", "Villa")}
        built = await connection.fetchval("select count(*) from houses")
        told = await connection.fetch(by_topic)
    assert [(row["topic"], row["records"]) for row in told] == [("house.built", built), ("house.changed", built)]
    return True
