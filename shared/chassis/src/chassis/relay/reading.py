"""Reading waves: which rows of the outbox go next.

Rows are chosen by lane, then by id, from a low-water mark in each lane. A row that commits
late lies below its mark, so everything is read from the beginning once a second, and always
while little is going on. A chosen row brings all earlier rows of its entity with it, whatever
their lane, so nothing overtakes within an entity: without that bulk's version 5 would be sent
after the edit's version 6. Rows of an entity of which one is parked are marked ``held``.

A wave with a beat has lane 0 read from its beginning, with one snapshot: whatever was committed
before the beat's time is in that wave before it, or was sent already.
"""

import time
from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Final

import asyncpg

type Rows = Sequence[asyncpg.Record]

WAVE: Final = 1000
_MOST_ROWS: Final = 2 * WAVE
_MOST_BYTES: Final = 16 * 1_048_576
_SWEEP_EVERY: Final = 1.0
_SWEEP_SHARE: Final = 0.05
"""Of the time, at most, goes into sweeps: where a held snapshot keeps deleted rows, each costs more."""
_CHEAP: Final = 0.01
_ANSWER_WITHIN: Final = 60.0
"""Seconds: where a held snapshot keeps millions of deleted rows, a sweep takes long, and must come to its end all the same."""

PLANNING: Final = {
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "plan_cache_mode": "force_generic_plan",
}
"""The outbox is empty at one moment and has a million rows at the next: statistics never fit, the indexes always do."""

_LANE: Final = """
(select lane, id, entity, coalesce(octet_length(payload), 0) as bytes from outbox where lane = {lane} and id >= ${parameter}
  order by id limit {wave})
"""
_READ: Final = f"""
with first as (
    select lane, id, entity, bytes, sum(bytes) over (order by lane, id rows unbounded preceding) as total
      from ({" union all ".join(_LANE.format(lane=lane, parameter=lane + 1, wave=WAVE) for lane in (0, 1, 2))}) o
     order by lane, id limit {WAVE}
), chosen as materialized (
    select lane, id, entity from first where total - bytes < {_MOST_BYTES}
), entities as (
    select entity, min(lane) as first, max(id) as id,
           exists (select from outbox p where p.entity = c.entity and p.lane = 3) as held
      from chosen c group by entity
), marks as (
    select array[max(id) filter (where lane = 0), max(id) filter (where lane = 1), max(id) filter (where lane = 2)] as marks from chosen
)
select o.id, o.entity, o.topic, o.key, o.partition_key, o.headers, o.payload, e.first, e.held,
       case when o.id = e.id then (select marks from marks) end as marks
  from entities e join outbox o on o.entity = e.entity and o.id <= e.id and o.lane < 3
"""  # noqa: S608 (made of constants)
_READ_SOME: Final = f"{_READ} limit {_MOST_ROWS + 1}"
_READ_FIRST: Final = f"{_READ} order by e.first, o.id limit {_MOST_ROWS}"
_SENDING: Final = itemgetter("first", "id")


class Reader:
    """Reads on the lock's own connection, so that whoever lost the lock reads nothing more."""

    def __init__(self, connection: "asyncpg.Connection[Any]") -> None:
        self._connection = connection
        self._marks = [0, 0, 0]
        self._next_sweep = 0.0

    async def wave(self) -> Rows:
        """The next rows to publish, in the order of sending; none when nothing above the marks is visible."""
        began = time.monotonic()
        sweeps = began >= self._next_sweep
        if sweeps:
            self._marks = [0, 0, 0]
        rows = await self._read()
        took = time.monotonic() - began
        if not rows and took < _CHEAP:
            self._next_sweep = 0.0
        elif sweeps:
            self._next_sweep = began + max(_SWEEP_EVERY, took / _SWEEP_SHARE)
        return rows

    async def _read(self) -> Rows:
        rows, marks = await self._fetch()
        if self._marks[0] and any(row["partition_key"] is None for row in rows):  # a beat, which must pass nothing of its lane
            self._marks[0] = 0
            rows, marks = await self._fetch()
        self._marks = marks
        return rows

    async def _fetch(self) -> tuple[Rows, list[int]]:
        """Rows from the marks on, and where to go on."""
        rows: list[asyncpg.Record] = await self._connection.fetch(_READ_SOME, *self._marks, timeout=_ANSWER_WITHIN)
        if len(rows) > _MOST_ROWS:  # so many were brought that not all that was chosen is sent now: the marks stay
            return await self._connection.fetch(_READ_FIRST, *self._marks, timeout=_ANSWER_WITHIN), self._marks
        if not rows:
            return rows, self._marks
        rows.sort(key=_SENDING)
        marks = next(row["marks"] for row in reversed(rows) if row["marks"])
        return rows, [old if new is None else new + 1 for old, new in zip(self._marks, marks, strict=True)]
