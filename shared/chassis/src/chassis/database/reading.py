"""Reads: statements written in SQLAlchemy Core, compiled once, run on a raw connection.

Partners and portal users read through the owner's views, operators read the tables: under
row-level security a condition that is not leakproof could not use its index. Each statement
is compiled once per relation, so a change of role never re-plans another's statement. The
tenant's own condition is added here, to every statement, besides the one inside the view.
"""

from collections.abc import Callable, Coroutine, Hashable
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID

import asyncpg
from sqlalchemy import FromClause, Select, TableClause, bindparam, column, inspect, table
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg

from chassis.database.clocks import PartnerClock
from chassis.database.readers import Connection
from chassis.database.visibility import shown
from chassis.principal import Principal

type Shape = Hashable
type Build = Callable[[FromClause, Any], Select[Any]]
type Sink = Callable[[bytes], Coroutine[Any, Any, None]]

_DIALECT: Final = PGDialect_asyncpg()  # type: ignore[no-untyped-call]
VIEWS: Final = {"partner": "_read", "portal": "_portal", "operator": ""}
"""What is added to a table's name to get the relation a role reads."""


class Visibility(Protocol):
    """Whether some customers are hidden from the reader; ``told`` are its roles as JSON, where they are not the projection's.

    ``clock`` is the tenant's, where it is a sandbox.
    """

    @property
    def restricted(self) -> bool: ...
    @property
    def told(self) -> str | None: ...
    @property
    def clock(self) -> PartnerClock | None: ...


class Reading:
    """One statement over one noun, for every role that may read it.

    ``build(relation, shape)`` gives the statement; ``shape`` is what its text depends on beyond
    parameters (sort, which filters are set), hashable and of few values. ``customer`` names the
    column with the customer's id, so that customers whom the caller's roles hide are left out.
    """

    def __init__(self, noun: type[Any], build: Build, *, customer: str | None = None) -> None:
        self._noun = noun
        self._build = build
        self._customer = customer
        self._compiled: dict[tuple[str, Shape, bool, bool], tuple[str, tuple[str, ...], dict[str, Any]]] = {}

    def compiled(
        self, role: str, shape: Shape, *, restricted: bool = False, told: bool = False
    ) -> tuple[str, tuple[str, ...], dict[str, Any]]:
        """SQL text, the names of its parameters in order, and the values of those that are constant."""
        key = (role, shape, restricted, told)
        found = self._compiled.get(key)
        if found is None:
            found = self._compiled[key] = self._compile(role, shape, restricted=restricted, told=told)
        return found

    def _compile(self, role: str, shape: Shape, *, restricted: bool, told: bool) -> tuple[str, tuple[str, ...], dict[str, Any]]:
        relation = _relation(self._noun, role)
        statement = self._build(relation, shape)
        if role != "operator":
            statement = statement.where(relation.c.partner_id == bindparam("partner_id"))
        if restricted and self._customer is not None:
            statement = statement.where(shown(relation.c[self._customer], told=told))
        compiled = statement.compile(dialect=_DIALECT)
        return str(compiled), tuple(compiled.positiontup or ()), dict(compiled.params)


class Read:
    """An open read transaction of one principal. ``real_now`` is what an answer is as of."""

    def __init__(self, connection: Connection, *, role: str, principal: Principal, now: datetime) -> None:
        self.connection: Final = connection
        self.principal: Final = principal
        self.real_now: Final = now
        self.rights: Visibility | None = None
        """What the principal may see; set by whoever authorised it."""
        self._role = role

    @property
    def partner_id(self) -> UUID:
        return self.principal.tenant

    @property
    def now(self) -> datetime:
        """Business time: that of the tenant's clock, where it is a sandbox."""
        clock = self.rights.clock if self.rights is not None else None
        return clock.now(self.real_now) if clock else self.real_now

    async def rows(self, reading: Reading, shape: Shape = None, **params: Any) -> list[asyncpg.Record]:
        sql, values = self._asked(reading, shape, params)
        return await self.connection.fetch(sql, *values)

    async def copy(self, reading: Reading, sink: Sink, shape: Shape = None, *, within: float, **params: Any) -> None:
        """Give the rows to ``sink`` as CSV, piece by piece as they come; no more of them is in memory than one piece.

        ``within`` bounds all of it, in seconds. Where ``sink`` fails, the statement is cancelled.
        """
        sql, values = self._asked(reading, shape, params)
        await self.connection.copy_from_query(sql, *values, output=sink, format="csv", header=True, timeout=within)

    async def row(self, reading: Reading, shape: Shape = None, **params: Any) -> asyncpg.Record | None:
        rows = await self.rows(reading, shape, **params)
        return rows[0] if rows else None

    def _asked(self, reading: Reading, shape: Shape, params: dict[str, Any]) -> tuple[str, list[Any]]:
        """A statement as this reader asks it, and the values of its parameters in their order."""
        restricted = self.rights is not None and self.rights.restricted
        told = self.rights.told if restricted and self.rights is not None else None
        sql, names, constants = reading.compiled(self._role, shape, restricted=restricted, told=told is not None)
        own = {"partner_id": self.partner_id, "viewer": self.principal.user_id, "viewer_partner": self.principal.partner_id}
        given = {**constants, **params, **own, "viewer_grants": told}
        return sql, [given[name] for name in names]


def _relation(noun: Any, role: str) -> TableClause:
    mapped = inspect(noun).local_table
    seen = [one for one in mapped.columns if role != "portal" or "withheld" not in one.info]
    return table(f"{mapped.name}{VIEWS[role]}", *(column(one.name, one.type) for one in seen))
