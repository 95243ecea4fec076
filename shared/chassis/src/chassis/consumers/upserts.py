"""Writing many rows of versioned entities in one statement: a higher version replaces, an equal or lower one is dropped.

Every column travels as one array and is unnested; what would be unnested too deep (arrays) or
has no array of its own use (JSON) travels as text and is cast on the way in.
"""

import json
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from sqlalchemy import ARRAY, JSON, Column, Table, TextClause, text
from sqlalchemy.dialects.postgresql import dialect
from sqlalchemy.ext.asyncio import AsyncSession

_DIALECT: Final = dialect()  # type: ignore[no-untyped-call]


class _Upsert(NamedTuple):
    statement: TextClause
    texts: dict[str, Callable[[Any], str | None]]
    """How the values of those columns become text that travel so."""


async def upsert(session: AsyncSession, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows with the same columns, ``id`` and ``version`` among them; every id once."""
    wanted = _upsert(table, tuple(rows[0]))
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    for name, as_text in wanted.texts.items():
        columns[name] = [as_text(value) for value in columns[name]]
    await session.execute(wanted.statement, columns)


@lru_cache(maxsize=256)
def _upsert(table: Table, names: tuple[str, ...]) -> _Upsert:
    columns = [table.columns[name] for name in names]
    types = {column.name: _type(column) for column in columns}
    texts = {column.name: as_text for column in columns if (as_text := _as_text(column)) is not None}
    quoted = {name: _DIALECT.identifier_preparer.quote(name) for name in names}
    listed = ", ".join(quoted.values())
    arrays = ", ".join(f"cast(:{name} as {'text' if name in texts else types[name]}[])" for name in names)
    chosen = ", ".join(f"cast(u.{quoted[name]} as {types[name]})" if name in texts else f"u.{quoted[name]}" for name in names)
    changed = ", ".join(f"{quoted[name]} = excluded.{quoted[name]}" for name in names if name != "id")
    return _Upsert(
        text(
            f"insert into {table.name} as kept ({listed}) select {chosen} from unnest({arrays}) as u({listed})"  # noqa: S608 (names of columns)
            f" on conflict (id) do update set {changed} where kept.version < excluded.version"
        ),
        texts,
    )


def _type(column: Column[Any]) -> str:
    """The type alone: how a column is collated is its own matter, and no array says it."""
    return column.type.compile(dialect=_DIALECT).partition(" COLLATE ")[0]


def _as_text(column: Column[Any]) -> Callable[[Any], str | None] | None:
    if isinstance(column.type, ARRAY):
        return _array
    return json.dumps if isinstance(column.type, JSON) else None


def _array(values: Sequence[Any] | None) -> str | None:
    """An array as PostgreSQL writes it."""
    if values is None:
        return None
    return "{" + ",".join("NULL" if value is None else '"' + _escaped(str(value)) + '"' for value in values) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
