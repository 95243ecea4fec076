"""The code of the last release runs on the schema of today: it runs beside the new code while a deployment goes on.

``deploy/schema`` says what that code needs. ``make released`` writes it anew with each release. What a
release needs no more may be taken away in the next one: then its line is taken out with the migration.
"""

import os
from importlib import import_module
from pathlib import Path

import asyncpg
import pytest

from chassis_testing.database import Databases
from onebox import postgres as server
from onebox.postgres import SERVICES, PostgresAddress
from walls.schemas import breaks, described, read, written

RELEASED = Path(__file__).parents[2] / "deploy" / "schema"

HOW = "expand first, contract one release later (CONTRIBUTING); and what no release has needed yet: make released"

BREAKING = {
    "a column is dropped": "alter table due drop column last_error cascade",
    "a column is renamed": "alter table due rename column slot to place",
    "a table is dropped": "drop table inbox",
    "a table is renamed": "alter table inbox rename to seen",
    "a view is dropped": "drop view due_read",
    "a type is narrowed": "alter table parked alter partition type smallint",
    "a type is another": "alter table parked alter headers type text",
    "a column must be given a value": "alter table due alter last_error set not null",
    "a new column must be given a value": "alter table due add column colour text not null",
    "a default is taken away": "alter table due alter attempts drop default",
    "a new condition is checked": "alter table due add constraint due_rarely check (attempts < 3)",
    "a new key is unique": "create unique index due_alone on due (subject)",
    "a new key points elsewhere": "alter table due add constraint due_parked foreign key (id) references parked (id)",
    "a key on which conflicts are found is gone": "alter table due drop constraint due_once_per_slot",
    "a function is gone": "drop function door.serial(text)",
}
HARMLESS = (
    "alter table due add column colour text",
    "alter table due add column size bigint not null default 0",
    "alter table parked alter partition type bigint",
    "alter table due alter kind drop not null",
    "create table colours (id uuid primary key, name text not null unique)",
    "create index due_by_subject on due (subject)",
    "create view due_kinds as select kind from due",
)


async def connected(databases: Databases, postgres: PostgresAddress, service: str) -> asyncpg.Connection:
    migrations = Path(str(import_module(service).__file__)).parent / "migrations"
    database = await databases.clone(await databases.template(service, migrations), service)
    return await server.connect(postgres, database.name, service)


@pytest.mark.parametrize("service", SERVICES)
async def test_the_code_of_the_last_release_runs_on_the_schema_of_today(
    made_databases: Databases, postgres: PostgresAddress, service: str
) -> None:
    connection = await connected(made_databases, postgres, service)
    file = RELEASED / f"{service}.txt"
    try:
        now = await described(connection)
        if os.environ.get("PARTNERDECK_RELEASED"):
            file.write_text(written(now))
        assert breaks(read(file.read_text()), now) == [], (
            "expand first, contract one release later (CONTRIBUTING); what no release has needed yet: make released"
        )
    finally:
        await connection.close()


@pytest.mark.parametrize("step", BREAKING)
async def test_a_step_that_would_break_it_is_found(made_databases: Databases, postgres: PostgresAddress, step: str) -> None:
    assert await found(made_databases, postgres, BREAKING[step]) != []


@pytest.mark.parametrize("step", HARMLESS)
async def test_a_step_that_only_adds_is_welcome(made_databases: Databases, postgres: PostgresAddress, step: str) -> None:
    assert await found(made_databases, postgres, step) == []


def test_what_is_written_down_is_read_back() -> None:
    schema = {"due": "table", "due.slot": "text not null", "due: due_once_per_slot": "UNIQUE (a, b)", "door.find(text)": "returns text"}

    assert read(written(schema)) == schema


async def found(databases: Databases, postgres: PostgresAddress, step: str) -> list[str]:
    """What the check says of one step, which is undone."""
    connection = await connected(databases, postgres, "licensing")
    undone = connection.transaction()
    await undone.start()
    try:
        before = await described(connection)
        await connection.execute(step)
        return breaks(before, await described(connection))
    finally:
        await undone.rollback()
        await connection.close()
