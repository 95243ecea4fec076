"""A PostgreSQL that was away and is back is not noticed by the next request."""

import asyncio

import pytest
from sqlalchemy import text

from chassis.database import ApiDatabase, DatabaseSettings
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
