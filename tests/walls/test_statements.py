"""Statements keep tenancy whole: each has its own condition on the partner, and nobody begins a transaction or sets anything by hand.

The conditions are looked at in every test (``chassis_testing.statements``); here it is shown that the look sees.
"""

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from chassis.due import DueRow
from chassis.jobs.tables import Job
from chassis_testing.database import Databases
from chassis_testing.statements import partnerless, taken

ROOT = Path(__file__).parents[2]
SOURCES = [*ROOT.glob("shared/*/src"), *ROOT.glob("services/*/src")]

OPENS = re.compile(
    r"(begin|start transaction|commit|rollback)"
    r"(\s+(work|transaction|read only|read write|isolation level [a-z ]+|deferrable|,))*",
    re.IGNORECASE,
)
SETS = re.compile(
    r"set\s+(session\s+)?[a-z_.]+\s*(to|=)\s*\S+.*|set\s+(session\s+)?(role|authorization)\b.*|reset\s+\w+.*"
    r"|.*set_config\([^()]*,\s*false\s*\).*|autocommit",
    re.IGNORECASE | re.DOTALL,
)
ALLOWED = {"chassis/database/api.py": {"BEGIN READ ONLY", "COMMIT", "ROLLBACK"}}
"""One place reads on connections of its own pool, and ends what it began."""

PLANTED = (
    'await connection.execute("BEGIN")',
    'await connection.execute(text("begin isolation level serializable"))',
    'await session.execute(text("commit"))',
    """await connection.execute(f"BEGIN; set local role {role}")""",
    """await connection.execute(f"SET app.partner = '{partner}'")""",
    'await connection.execute("set role licensing_partner")',
    'await connection.execute("set session lock_timeout to 5")',
    'await session.execute(text("select set_config(:name, :value, false)"))',
    'engine = create_async_engine(url, isolation_level="AUTOCOMMIT")',
)
HARMLESS = (
    """await owner.execute(f"set local lock_timeout = '{timeout}'")""",
    'await session.execute(text("update due set attempts = 0 where partner_id = :partner"))',
    '''def begin() -> None:
    """Begin; set out to do it."""''',
)

KNOWN = {DueRow.__tablename__, Job.__tablename__}
LACKING = (
    ("select id from due", ["due"]),
    ("SELECT due.partner_id, due.id FROM due WHERE due.id = $1", ["due"]),
    ("select id from due_read where id = $1 order by partner_id", ["due"]),
    ("update due set attempts = 0 where kind = $1", ["due"]),
    ("update due set partner_id = $1 where id = $2", ["due"]),
    ("delete from due where id = any($1)", ["due"]),
    ("select d.id from jobs j join due d on d.id = j.id where j.partner_id = $1", ["due"]),
    ("select d.id from jobs j join due d on d.partner_id = j.partner_id where d.kind = $1", ["due", "jobs"]),
    ("select id from due where partner_id in (select partner_id from jobs)", ["due", "jobs"]),
    ("select id from jobs where exists (select from due where due.subject = jobs.id)", ["due", "jobs"]),
)
HAVING = (
    "select d.id from jobs j join due d on d.partner_id = j.partner_id where d.partner_id = $1",
    "SELECT due.id FROM due WHERE due.partner_id = $1::UUID AND due.id = $2",
    "select d.id from jobs j join due as d on d.partner_id = j.partner_id and d.id = j.id where $1 = j.partner_id",
    "update due set attempts = 0 where (partner_id, id) in (select * from unnest($1::uuid[], $2::uuid[]))",
    "delete from due using unnest($1::uuid[]) as gone (id) where due.id = gone.id and due.partner_id = $2",
    "insert into due (partner_id, id) values ($1, $2)",
    "select id from outbox",
)
SENDING = """
async def raw(connection, sql):
    await connection.fetch(sql)

async def core(connection, sql):
    await connection.execute(text(sql))

async def knowingly(connection, sql):
    await connection.execute(text(sql).execution_options(across_partners="a test"))
"""


def by_hand(source: str) -> list[str]:
    """Statements in the text of a module that begin, end or set something."""
    tree = ast.parse(source)
    said = {id(one.value) for one in ast.walk(tree) if isinstance(one, ast.Expr)}
    parts = [part.strip() for text in _texts(tree, said) for part in text.split(";")]
    return [part for part in parts if OPENS.fullmatch(part) or SETS.fullmatch(part)]


def _texts(tree: ast.AST, said: set[int]) -> Iterator[str]:
    """The strings of a module but its docstrings; what is filled in is a word."""
    inside = {id(part) for one in ast.walk(tree) if isinstance(one, ast.JoinedStr) for part in one.values}
    for one in ast.walk(tree):
        if isinstance(one, ast.Constant) and isinstance(one.value, str) and id(one) not in said | inside:
            yield one.value
        elif isinstance(one, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "filled" for part in one.values)


def test_nobody_begins_a_transaction_or_sets_anything_by_hand() -> None:
    found = {}
    for source in SOURCES:
        for module in source.rglob("*.py"):
            name = str(module.relative_to(source))
            if "/migrations/" not in name and (wrong := set(by_hand(module.read_text())) - ALLOWED.get(name, set())):
                found[name] = wrong

    assert found == {}


@pytest.mark.parametrize("planted", PLANTED)
def test_what_begins_or_sets_by_hand_is_seen(planted: str) -> None:
    assert by_hand(planted) != []


@pytest.mark.parametrize("harmless", HARMLESS)
def test_what_lasts_as_long_as_its_transaction_is_welcome(harmless: str) -> None:
    assert by_hand(harmless) == []


@pytest.mark.parametrize(("sql", "tables"), LACKING)
def test_a_statement_without_its_own_partner_is_seen(sql: str, tables: list[str]) -> None:
    assert sorted(partnerless(sql)) == tables
    assert set(tables) <= KNOWN


@pytest.mark.parametrize("sql", HAVING)
def test_a_statement_with_its_own_partner_is_welcome(sql: str) -> None:
    assert partnerless(sql) == []


@pytest.mark.parametrize(("way", "seen"), [("raw", True), ("core", True), ("knowingly", False)])
async def test_a_statement_that_the_code_sends_without_its_own_partner_is_seen(made_databases: Databases, way: str, seen: bool) -> None:  # noqa: FBT001
    """And one that a test sends itself is not."""
    sql = "select id from due where kind = 'trial.end'"
    ours: dict[str, Any] = {"text": text}
    exec(compile(SENDING, str(ROOT / "services/licensing/src/licensing/planted.py"), "exec"), ours)  # noqa: S102 (the planted code)
    migrations = Path(str(import_module("licensing").__file__)).parent / "migrations"
    database = await made_databases.clone(await made_databases.template("licensing", migrations), "licensing")

    async with made_databases.engine(database, "worker").begin() as connection:
        await connection.execute(text(sql))
        assert taken() == []
        await ours[way](await driver_of(connection) if way == "raw" else connection, sql)

    assert [one.split(" at ")[0] for one in taken()] == (["due without a partner,"] if seen else [])


async def driver_of(connection: AsyncConnection) -> asyncpg.Connection:
    driver = (await connection.get_raw_connection()).driver_connection
    assert isinstance(driver, asyncpg.Connection)
    return driver
