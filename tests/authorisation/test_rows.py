"""Row-level security alone: without any condition of the application's, nobody reads or changes a row of another (design law 6).

Each service's database is entered as its requests enter it, and every relation that the role may read is asked for everything.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg
import httpx
import pytest

from authorisation.principals import Cast
from onebox.api import Api
from onebox.postgres import SERVICES
from onebox.suite import Suite

_READABLE: Final = """
select c.relname as name, array_agg(a.attname::text) as columns
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
 where n.nspname = 'public' and c.relkind in ('r', 'p', 'v')
   and has_table_privilege($1, c.oid, 'select') and has_column_privilege($1, c.oid, a.attnum, 'select')
 group by c.relname order by c.relname
"""
_BELOW: Final = {"access_partners"}
"""Whoever is above sees the partners below it (C-9)."""
_SHARED: Final = {"policies", "offers", "screening_lists", "screening_names"}
"""What belongs to nobody."""


@asynccontextmanager
async def entered(suite: Suite, service: str, role: str, **who: str) -> AsyncIterator[tuple[Any, list[Any]]]:
    """A transaction of one principal, and what its role may read; always undone."""
    login = f"{service}_api"
    address = suite.postgres
    connection = await asyncpg.connect(
        host=address.host, port=address.port, user=login, password=suite.home.secrets().login_passwords[login], database=service
    )
    try:
        readable = await connection.fetch(_READABLE, f"{service}_{role}")
        await connection.execute("begin")
        await connection.execute(f"set local role {service}_{role}")
        for name, value in who.items():
            await connection.execute("select set_config($1, $2, true)", f"app.{name}", value)
        yield connection, readable
    finally:
        await connection.close()


@pytest.mark.parametrize("service", SERVICES)
async def test_a_stranger_reads_no_row_of_another_partner(service: str, suite: Suite, cast: Cast) -> None:
    stranger = cast.foreign["partner_id"]
    asked = 0
    async with entered(suite, service, "partner", partner=stranger, actor=stranger, principal=cast.foreign["user_id"]) as (
        connection,
        readable,
    ):
        for relation in readable:
            if "partner_id" in relation["columns"] and relation["name"] not in _SHARED | _BELOW:
                foreign = f'select count(*) from "{relation["name"]}" where partner_id::text <> $1'  # noqa: S608 (of the catalogue)
                assert await connection.fetchval(foreign, stranger) == 0, relation["name"]
                asked += 1

    assert asked > 3


@pytest.mark.parametrize("service", SERVICES)
async def test_a_customers_user_reads_no_row_of_another_customer(service: str, suite: Suite, cast: Cast) -> None:
    own, customer = cast.own["partner_id"], cast.own["customer_id"]
    async with entered(suite, service, "portal", partner=own, actor=own, customer=customer) as (connection, readable):
        for relation in readable:
            column = next((one for one in ("customer_id", "id") if one in relation["columns"]), None)
            if relation["name"] in _SHARED or column is None or (column == "id" and "customers" not in relation["name"]):
                continue
            foreign = f'select count(*) from "{relation["name"]}" where {column}::text <> $1'  # noqa: S608 (of the catalogue)
            assert await connection.fetchval(foreign, customer) == 0, relation["name"]


@pytest.mark.parametrize("service", SERVICES)
async def test_a_stranger_changes_no_row_of_another_partner(service: str, suite: Suite, cast: Cast) -> None:
    stranger = cast.foreign["partner_id"]
    async with entered(suite, service, "partner", partner=stranger, actor=stranger, principal=cast.foreign["user_id"]) as (connection, _):
        changeable = await connection.fetch(
            "select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            " join pg_attribute a on a.attrelid = c.oid and a.attname = 'partner_id'"
            " where n.nspname = 'public' and c.relkind in ('r', 'p') and has_table_privilege(c.oid, 'delete')"
            " and has_table_privilege(c.oid, 'select')"
        )
        for relation in changeable:
            gone = f'delete from "{relation["name"]}" where partner_id::text <> $1'  # noqa: S608 (of the catalogue)
            assert await connection.execute(gone, stranger) == "DELETE 0", relation["name"]


async def test_there_is_something_to_be_seen(cast: Cast, suite: Suite) -> None:
    """The rows that nobody else sees are there for whose they are."""
    async with httpx.AsyncClient(base_url=suite.gateway) as http:
        own = Api(http, dict(cast.headers["partner_admin"]))
        assert len((await own.get("/v1/customers"))["items"]) >= 2
