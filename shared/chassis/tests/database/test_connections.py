"""A PostgreSQL that goes away is an outage to whoever is asking; once it is back, the next request notices nothing."""

import asyncio
import dataclasses
from typing import Literal

import pytest
from house.proxy import Proxy, proxy_to
from sqlalchemy import text

from chassis.clock import SystemClock
from chassis.database import ApiDatabase, DatabaseSettings
from chassis.http.failures import UNAVAILABLE, of_failure
from chassis.principal import Principal
from onebox import postgres as server
from onebox.postgres import PostgresAddress


@pytest.mark.parametrize("concurrently", [1, 3])
async def test_connections_that_the_server_closed_are_made_anew(
    api_database: ApiDatabase, fresh_database: DatabaseSettings, postgres: PostgresAddress, principal: Principal, concurrently: int
) -> None:
    async def ask() -> int:
        async with api_database.change(principal) as tx:
            return int((await tx.session.execute(text("select 1"))).scalar_one())

    assert await asyncio.gather(*(ask() for _ in range(concurrently))) == [1] * concurrently
    superuser = await server.connect(postgres, fresh_database.name, fresh_database.service)
    await superuser.execute(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename like '%\\_api' and datname = current_database()"
    )
    await superuser.close()

    assert await asyncio.gather(*(ask() for _ in range(concurrently))) == [1] * concurrently


@pytest.mark.parametrize("asking", ["reading", "changing"])
async def test_who_asks_while_it_goes_away_is_told_to_try_again(
    fresh_database: DatabaseSettings, principal: Principal, asking: Literal["reading", "changing"]
) -> None:
    async with proxy_to(fresh_database.host, fresh_database.port) as proxy:
        database = ApiDatabase(dataclasses.replace(fresh_database, host="127.0.0.1", port=proxy.port), SystemClock())
        await database.open()
        with pytest.raises(Exception) as lost:  # noqa: PT011 (whatever the driver makes of it)
            await (_read if asking == "reading" else _change)(database, principal, proxy)
        await database.close()

    assert of_failure(lost.value) == UNAVAILABLE


async def _read(database: ApiDatabase, principal: Principal, proxy: Proxy) -> None:
    async with database.read(principal) as read:
        proxy.drop()
        await read.connection.fetchval("select pg_sleep(5)")


async def _change(database: ApiDatabase, principal: Principal, proxy: Proxy) -> None:
    async with database.change(principal) as tx:
        proxy.drop()
        await tx.session.execute(text("select pg_sleep(5)"))
