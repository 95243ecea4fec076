"""A PostgreSQL that goes away is an outage to whoever is asking; once it is back, the next request notices nothing."""

import asyncio
import dataclasses
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from house.proxy import proxy_to
from sqlalchemy import text

from chassis.clock import SystemClock
from chassis.database import ApiDatabase, DatabaseSettings, WorkerDatabase, driver
from chassis.http.failures import UNAVAILABLE, of_failure
from chassis.principal import Principal
from onebox import postgres as server
from onebox.postgres import PostgresAddress


@pytest.mark.parametrize("concurrently", [1, 3])
async def test_connections_that_the_server_closed_are_made_anew(
    api_database: ApiDatabase, fresh_database: DatabaseSettings, postgres: PostgresAddress, principal: Principal, concurrently: int
) -> None:
    async def ask() -> int:
        async with api_database.change(principal) as tx, api_database.read(principal) as read:
            return int((await tx.session.execute(text("select 1"))).scalar_one() * await read.connection.fetchval("select 1"))

    assert await asyncio.gather(*(ask() for _ in range(concurrently))) == [1] * concurrently
    superuser = await server.connect(postgres, fresh_database.name, fresh_database.service)
    await superuser.execute(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename like '%\\_api' and datname = current_database()"
    )
    await superuser.close()

    assert await asyncio.gather(*(ask() for _ in range(concurrently))) == [1] * concurrently


type Doing = Callable[[Callable[[], None]], Awaitable[None]]
"""Begins something, loses the database by what it is given, and goes on."""


@asynccontextmanager
async def asking(settings: DatabaseSettings, principal: Principal) -> AsyncIterator[dict[str, Doing]]:
    """The three ways to ask, over connections of one's own."""
    api, worker = ApiDatabase(settings, SystemClock()), WorkerDatabase(settings, SystemClock())
    await api.open()

    async def read(lose: Callable[[], None]) -> None:
        async with api.read(principal) as reading:
            lose()
            await reading.connection.fetchval("select 1")

    async def change(lose: Callable[[], None]) -> None:
        async with api.change(principal) as tx:
            lose()
            await tx.session.execute(text("select 1"))

    async def work(lose: Callable[[], None]) -> None:
        async with worker.work() as unit:
            await unit.session.execute(text("select 1"))
            lose()
            await unit.session.execute(text("select 1"))

    yield {"read": read, "change": change, "work": work}
    await api.close()
    await worker.close()


@pytest.mark.parametrize("way", ["read", "change", "work"])
async def test_who_asks_while_it_goes_away_is_told_to_try_again(fresh_database: DatabaseSettings, principal: Principal, way: str) -> None:
    async with proxy_to(fresh_database.host, fresh_database.port) as proxy:
        settings = dataclasses.replace(fresh_database, host="127.0.0.1", port=proxy.port)
        async with asking(settings, principal) as ways:
            with pytest.raises(Exception) as lost:  # noqa: PT011 (whatever the driver makes of it)
                await ways[way](proxy.drop)

    assert of_failure(lost.value) == UNAVAILABLE


@pytest.mark.parametrize("way", ["read", "change", "work"])
async def test_one_that_vanished_is_not_waited_for_and_its_successor_is_found(
    fresh_database: DatabaseSettings, principal: Principal, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "_ANSWERS_WITHIN", {"api": 0.5, "worker": 0.5})
    async with proxy_to(fresh_database.host, fresh_database.port) as proxy:
        settings = dataclasses.replace(fresh_database, host="127.0.0.1", port=proxy.port)
        async with asyncio.timeout(20), asking(settings, principal) as ways:
            with pytest.raises(Exception) as lost:  # noqa: PT011 (whatever the driver makes of it)
                await ways[way](proxy.desert)
            await ways[way](lambda: None)

    assert of_failure(lost.value) == UNAVAILABLE


async def test_the_kernel_asks_whether_a_silent_server_is_still_there(worker_database: WorkerDatabase) -> None:
    async with worker_database.direct() as connection:
        line = connection._transport.get_extra_info("socket")  # type: ignore[attr-defined]
        asked = line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE), line.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)

    assert asked == (1, 15_000)
