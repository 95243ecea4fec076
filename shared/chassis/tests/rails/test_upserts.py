"""One statement writes a batch of rows whatever their types and names, and the higher version stays."""

from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from house.consuming import as_owner
from sqlalchemy import ARRAY, BigInteger, Boolean, Column, MetaData, Numeric, Table, Text, Uuid, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.consumers.upserts import upsert
from chassis.database import DatabaseSettings, WorkerDatabase
from chassis.ids import new_id

THINGS = Table(
    "things",
    MetaData(),
    Column("id", Uuid, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("user", Text(collation="C")),
    Column("tags", ARRAY(Text)),
    Column("members", ARRAY(Uuid)),
    Column("levels", JSONB),
    Column("open", Boolean),
    Column("price", Numeric),
)
_DDL = (
    """create table things (
        id uuid primary key, version bigint not null, "user" text, tags text[], members uuid[], levels jsonb, open boolean, price numeric
    )""",
    "grant select, insert, update on things to licensing_worker",
)
NASTY = ["", "a,b", '"', "\\", "{}", "NULL", "null", " x ", "é\n\t'", 'a\\"b']


@pytest.fixture
async def things(fresh_database: DatabaseSettings, worker_database: WorkerDatabase) -> WorkerDatabase:
    await as_owner(fresh_database, *_DDL)
    return worker_database


def a_thing(version: int = 1, **changes: Any) -> dict[str, Any]:
    thing = {"user": "ada", "tags": [], "members": [], "levels": {}, "open": True, "price": Decimal("0.10")}
    return {"id": new_id(), "version": version, **thing, **changes}


async def stood(database: WorkerDatabase) -> list[dict[str, Any]]:
    async with database.work() as work:
        rows = await work.session.execute(select(THINGS).order_by(THINGS.c.id))
        return [dict(row) for row in rows.mappings()]


async def test_values_of_every_type_come_back_as_they_went(things: WorkerDatabase) -> None:
    rows = [
        a_thing(tags=NASTY, members=[new_id(), new_id()], levels={name: name for name in NASTY}),
        a_thing(user=None, tags=None, members=None, open=None, price=None),
        a_thing(tags=["only"], levels=[1, 2.5, None, {"a": []}]),
    ]
    async with things.work() as work:
        await upsert(work.session, THINGS, rows)
    assert await stood(things) == rows


async def test_only_a_higher_version_replaces(things: WorkerDatabase) -> None:
    first, second = a_thing(5), a_thing(5)
    async with things.work() as work:
        await upsert(work.session, THINGS, [first, second])
    async with things.work() as work:
        await upsert(work.session, THINGS, [first | {"version": 5, "user": "equal"}, second | {"version": 6, "user": "higher"}])
    assert [row["user"] for row in await stood(things)] == ["ada", "higher"]


async def test_a_batch_with_a_value_that_the_table_refuses_writes_nothing(things: WorkerDatabase) -> None:
    for bad in ({"version": 2**63}, {"user": "\x00"}, {"tags": ["\x00"]}, {"levels": {"a": "\x00"}}):
        with pytest.raises(DBAPIError):
            async with things.work() as work:
                await upsert(work.session, THINGS, [a_thing(), a_thing(**bad)])
    assert await stood(things) == []


async def test_savepoints_of_items_are_prepared_once_and_undo_the_right_one(things: WorkerDatabase) -> None:
    """Forty items, every third fails after an inner savepoint that failed too; the names come again after sixteen."""
    kept = []
    async with things.work() as work:
        for number in range(40):
            try:
                async with work.item(new_id()) as tx:
                    await upsert(tx.session, THINGS, [row := a_thing(user=str(number))])
                    with suppress(KeyError):
                        await _inner(tx.session)
                    _refuse(number)
                    kept.append(row)
            except KeyError:
                continue
        names = (await work.session.execute(text("select statement from pg_prepared_statements where statement ilike 'savepoint%'"))).all()
    assert await stood(things) == sorted(kept, key=lambda row: row["id"])
    assert 0 < len(names) <= 16


async def _inner(session: AsyncSession) -> None:
    async with session.begin_nested():
        await upsert(session, THINGS, [a_thing(user="inner")])
        raise KeyError


def _refuse(number: int) -> None:
    if number % 3 == 0:
        raise KeyError(number)
