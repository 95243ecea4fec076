"""Comparing the live tables with those beside, row by row, at one and the same fence.

The live ones are looked at through one snapshot, which says how far the live consumer had come
in it; the others are filled exactly that far. So the answer is the same however much is being
written meanwhile, and nobody waits. Both sides are added up in the database, whatever their
order; only where the sums differ are the rows themselves compared.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from chassis.consumers.fences import TopicPartition
from chassis.database.worker import WorkerDatabase
from chassis.rebuilding.catalogue import BESIDE, LIVE, Connection

_SHOWN: Final = 5
_CHUNK: Final = 2_000

_COLUMNS: Final = """
select quote_ident(a.attname) as name, coalesce(a.attnum = any(k.conkey), false) as in_key
  from pg_attribute a left join pg_constraint k on k.conrelid = a.attrelid and k.contype = 'p'
 where a.attrelid = format('%I.%I', $1::text, $2::text)::regclass and a.attnum > 0 and not a.attisdropped
 order by array_position(k.conkey, a.attnum), a.attnum
"""
_FENCES: Final = "select topic, partition, next_offset from fences where consumer = $1 and topic = any($2::text[])"


@dataclass(slots=True)
class Comparison:
    """One table: how many rows there are live and beside, what they add up to, and which differ.

    ``missing`` rows stand beside alone, ``extra`` ones live alone (they would vanish), ``changed``
    ones in both and differ; of each kind the first keys are named.
    """

    table: str
    live: int
    beside: int
    checksum: str
    missing: int = 0
    extra: int = 0
    changed: int = 0
    keys: list[str] = field(default_factory=list)

    @property
    def differ(self) -> int:
        return self.missing + self.extra + self.changed


class Snapshot:
    """The live tables at one moment, and how far their consumer had come then."""

    def __init__(self, connection: Connection, reached: dict[TopicPartition, int]) -> None:
        self._connection = connection
        self.reached: Final = reached

    async def compare(self, beside: WorkerDatabase, table: str) -> Comparison:
        """Compare one table with its twin, which stands still at ``reached``."""
        columns = await self._connection.fetch(_COLUMNS, LIVE, table)
        row = f"row({', '.join(column['name'] for column in columns)})::text"
        key = f"row({', '.join(column['name'] for column in columns if column['in_key'])})::text"
        async with beside.direct(search_path=LIVE, timezone="UTC") as other, other.transaction(readonly=True):
            live = await _sum(self._connection, LIVE, table, row)
            twin = await _sum(other, BESIDE, table, row)
            compared = Comparison(table=table, live=live[0], beside=twin[0], checksum=f"{live[1]:016x}")
            if live != twin:
                await _differences(compared, _rows(self._connection, LIVE, table, key, row), _rows(other, BESIDE, table, key, row))
        return compared


@asynccontextmanager
async def snapshot(database: WorkerDatabase, group: str, topics: Sequence[str]) -> AsyncIterator[Snapshot]:
    """The live tables as they are now, for as long as it takes."""
    async with (
        database.direct(search_path=LIVE, timezone="UTC") as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        yield Snapshot(connection, await reached(connection, group, topics))


async def reached(connection: Connection, group: str, topics: Sequence[str], *, hold: bool = False) -> dict[TopicPartition, int]:
    """How far a consumer has come in these topics; ``hold`` keeps it there until the transaction ends."""
    rows = await connection.fetch(f"{_FENCES} order by topic, partition {'for update' if hold else ''}", group, list(topics))
    return {(row["topic"], row["partition"]): row["next_offset"] for row in rows}


async def _sum(connection: Connection, schema: str, table: str, row: str) -> tuple[int, int]:
    wanted = f'select count(*), coalesce(sum(hashtextextended({row}, 0)::numeric), 0) from {schema}."{table}"'  # noqa: S608 (names)
    ((rows, total),) = await connection.fetch(wanted)
    return rows, int(total) % 2**64


async def _rows(connection: Connection, schema: str, table: str, key: str, row: str) -> AsyncIterator[tuple[str, int]]:
    """Key and hash of each row, in the order of the keys' text."""
    wanted = f'select {key} collate "C" as key, hashtextextended({row}, 0) as hash from {schema}."{table}" order by 1'  # noqa: S608 (names)
    cursor = await connection.cursor(wanted)
    while rows := await cursor.fetch(_CHUNK):
        for one in rows:
            yield one["key"], one["hash"]


async def _differences(compared: Comparison, live: AsyncIterator[tuple[str, int]], beside: AsyncIterator[tuple[str, int]]) -> None:
    """Walk both in the order of their keys, and count what one of them has alone or otherwise."""
    one, other = await _next(live), await _next(beside)
    while one is not None or other is not None:
        if one is not None and one == other:
            one, other = await _next(live), await _next(beside)
        elif other is None or (one is not None and one[0] < other[0]):
            compared.extra += 1
            _name(compared, "extra", one)
            one = await _next(live)
        elif one is None or other[0] < one[0]:
            compared.missing += 1
            _name(compared, "missing", other)
            other = await _next(beside)
        else:
            compared.changed += 1
            _name(compared, "changed", one)
            one, other = await _next(live), await _next(beside)


async def _next(rows: AsyncIterator[tuple[str, int]]) -> tuple[str, int] | None:
    return await anext(rows, None)


def _name(compared: Comparison, kind: str, row: Any) -> None:
    if sum(key.startswith(kind) for key in compared.keys) < _SHOWN:
        compared.keys.append(f"{kind} {row[0]}")
