"""Each statement that the code sends in a test is looked at: what touches partners' rows has a condition on the partner of its own.

Row-level security would hide another partner's rows all the same; it is the second net, and this keeps the first one whole.
What works for all partners at once says so where it does, with the reason: ``execution_options(across_partners="...")``.
Operators read across partners, by ``Reading`` alone. Statements that tests themselves send are not looked at.
"""

import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any, Final

import asyncpg
import greenlet
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from chassis.database.tables import TenantRow

_RAW: Final = ("fetch", "fetchrow", "fetchval", "execute")
_ONE: Final = r"(?:only\s+)?\"?(\w+)\"?(?:\s+(?:as\s+)?(\w+))?"
_TOUCHED: Final = re.compile(rf"\b(?:from|join|update|using)\s+{_ONE}|(?<=\w)\s*,\s*{_ONE}(?=\s+(?:where|join|on)\b)", re.IGNORECASE)
_SET: Final = re.compile(r"\bset\s+\"?\w+\"?\s*=.*?(?=\b(?:where|from|returning)\b|$)", re.IGNORECASE | re.DOTALL)
_NO_ALIAS: Final = frozenset(
    (
        *("where", "on", "set", "join", "left", "right", "inner", "cross", "full", "natural", "order", "group", "having"),
        *("limit", "offset", "for", "union", "returning", "using", "values", "window"),
    )
)
_VIEWS: Final = ("_read", "_portal")
_READINGS: Final = "/chassis/database/reading.py"
_OURS: Final = ("/src/chassis/", *(f"/services/{name}/src/" for name in ("customers", "licensing", "reporting", "notifications")))
_PYTHON: Final = str(Path(re.__file__).parent.parent)
_found: Final[list[str]] = []


def partnerless(sql: str) -> list[str]:
    """The tenant tables that a statement reads, changes or deletes from without a condition on their partner.

    A comparison among them says that they have the same partner, and not which.
    """
    touched = list(_touched(sql))
    compared = _SET.sub(" ", sql)  # what is set is not compared
    aliases = {alias for _, alias in touched}
    held = {alias for alias in aliases if _compared(compared, alias, aliases)}
    while more := {alias for alias in aliases - held if any(_same(compared, alias, other) for other in held)}:
        held |= more
    return [name for name, alias in touched if alias not in held]


def _touched(sql: str) -> Iterator[tuple[str, str]]:
    for said in _TOUCHED.findall(sql):
        name, alias = (said[0], said[1]) if said[0] else (said[2], said[3])
        table = next((name.removesuffix(view) for view in _VIEWS if name.endswith(view)), name)
        if table in tenant_tables():
            yield table, name if not alias or alias.lower() in _NO_ALIAS else alias


def _column(alias: str) -> str:
    """Its ``partner_id``; without an alias' dot it may be anybody's."""
    return rf"(?:\b{alias}\"?\.|(?<![.\w\"]))\"?partner_id\"?"


def _compared(sql: str, alias: str, aliases: set[str]) -> bool:
    """Whether it is compared with something that is none of ``aliases``' partners, nor all partners there are."""
    column, one = _column(alias), rf"\"?(?:{'|'.join(sorted(aliases))})\"?\.\"?partner_id\b"
    right = rf"{column}\s*(?:=\s*+(?!{one})|in\b\s*+(?!\(\s*select\s+[\w.\"]+\s+from\s+[\w\"]+\s*\)))"
    left = rf"(?<!partner_id)(?<!partner_id\")\s=\s*(?:any\s*\()?\s*{column}"
    together = rf"\({column}\s*,[^()]*\)\s*(?:=|in\b)"
    return re.search(rf"{right}|{left}|{together}", sql, re.IGNORECASE) is not None


def _same(sql: str, one: str, other: str) -> bool:
    pair = (_column(one), _column(other))
    return any(re.search(rf"{a}\s*=\s*{b}", sql, re.IGNORECASE) for a, b in (pair, pair[::-1]))


def taken() -> list[str]:
    """What was found since it was last asked, each once."""
    found = list(dict.fromkeys(_found))
    _found.clear()
    return found


def tenant_tables() -> set[str]:
    """By name, of all that is imported."""
    waiting: list[type] = [TenantRow]
    names: set[str] = set()
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if name := kind.__dict__.get("__tablename__"):
            names.add(str(name))
    return names


def _look(sql: str) -> None:
    if (lacking := _lacking(sql, len(tenant_tables()))) and (where := _sender()) and not _an_operators(sql, where, lacking):
        _found.append(f"{', '.join(lacking)} without a partner, at {where}: {' '.join(sql.split())}")


def _an_operators(sql: str, where: str, tables: tuple[str, ...]) -> bool:
    """Operators read the tables, across partners; everybody else reads views."""
    return _READINGS in where and not any(f"{name}{view}" in sql for name in tables for view in _VIEWS)


@cache
def _lacking(sql: str, _tables: int) -> tuple[str, ...]:
    return tuple(partnerless(sql))


def _sender() -> str | None:
    """Where in our code a statement is sent; None where a test sends it."""
    for frame in _frames():
        file = frame.f_code.co_filename
        if "site-packages" not in file and file != __file__ and not file.startswith(_PYTHON):
            return f"{file}:{frame.f_lineno}" if any(part in file for part in _OURS) else None
    return None


def _frames() -> Iterator[FrameType]:
    """From here outwards, also out of the greenlets in which SQLAlchemy runs."""
    here, frame = greenlet.getcurrent(), sys._getframe(1)  # noqa: SLF001 (no other way to it)
    while True:
        above: FrameType | None = frame
        while above is not None:
            yield above
            above = above.f_back
        parent = here.parent
        if parent is None or parent.gr_frame is None:
            return
        here, frame = parent, parent.gr_frame


def _watched(send: Callable[..., Any]) -> Callable[..., Any]:
    async def sending(connection: Any, query: str, *arguments: Any, **named: Any) -> Any:
        _look(query)
        return await send(connection, query, *arguments, **named)

    return sending


@event.listens_for(Engine, "before_cursor_execute")
def _look_at(_connection: Any, _cursor: Any, statement: str, _parameters: Any, context: Any, _many: Any) -> None:
    if context is None or "across_partners" not in context.execution_options:
        _look(statement)


@pytest.fixture(autouse=True, scope="session")
def _raw_statements_are_looked_at() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in _RAW:
            patch.setattr(asyncpg.Connection, name, _watched(getattr(asyncpg.Connection, name)))
        yield


@pytest.fixture(autouse=True)
def every_statement_has_its_partner() -> Iterator[None]:
    """Fails the test in which the code sent one that has not."""
    taken()
    yield
    if found := taken():
        pytest.fail("\n".join(found), pytrace=False)
