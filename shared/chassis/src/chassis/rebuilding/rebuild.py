"""Rebuilding one read model from beginning to end, or only looking whether it is what the topics make of it (BEY-03).

Requests are served and the live consumer works on meanwhile. Killed at any point it leaves the
live tables as they were, and goes on where it stood when it is begun again.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import asyncpg

from chassis.clock import SystemClock
from chassis.consumers.handlers import Consumer
from chassis.database.settings import DatabaseSettings
from chassis.database.worker import WorkerDatabase
from chassis.errors import Kind, Refusal
from chassis.rebuilding import beside, catalogue, swapping
from chassis.rebuilding.catalogue import BEFORE, BESIDE, LIVE, Connection
from chassis.rebuilding.comparing import Comparison, reached, snapshot
from chassis.rebuilding.filling import Filling, filling
from chassis.rebuilding.models import ReadModel, find, read_models

_NEAR: Final = 1_000
_ROUNDS: Final = 20
_SIDE_BY_SIDE: Final = 4
"""Partitions that are written at once."""
MAY_VANISH: Final = 100
"""Rows that a rebuild may take out of the live tables, unless whoever rebuilds says otherwise."""

type Say = Callable[[str, int, int], None]
"""Is told what is being done, and how far it is, of how much."""


class NotRebuildable(Refusal):
    """Something holds on to the read model's tables."""

    kind = Kind.CONFLICT
    code = "not_rebuildable"
    remedy = "Take away what holds them; what follows from a read model belongs into tables of its own."


class RebuiltAlready(Refusal):
    """Somebody is rebuilding this read model."""

    kind = Kind.CONFLICT
    code = "rebuilt_already"
    remedy = "Wait until it is done."


class NoOwner(Refusal):
    """Only the owner of the tables may replace them."""

    kind = Kind.FORBIDDEN
    code = "no_owner"
    remedy = "Give this command the owner's password, as for migrate."


class TooManyWouldVanish(Refusal):
    """The topics do not hold rows that the live read model has."""

    kind = Kind.CONFLICT
    code = "too_many_would_vanish"
    remedy = "Retell the states where records were lost, or say how many may vanish (--may-vanish)."


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """``check`` only compares; ``keep`` leaves what was replaced in a schema of that name; ``anew`` forgets what an earlier run filled."""

    check: bool = False
    keep: bool = False
    anew: bool = False
    may_vanish: int = MAY_VANISH


@dataclass(slots=True, kw_only=True)
class Report:
    """What a rebuild found and did. ``parked`` records could not take effect; ``held`` is how long the live consumer waited, in seconds."""

    model: ReadModel
    tables: list[Comparison] = field(default_factory=list)
    resumed: bool = False
    records: int = 0
    parked: int = 0
    swapped: bool = False
    held: float = 0.0

    @property
    def differ(self) -> int:
        return sum(table.differ for table in self.tables)


class Rebuilding:
    """Rebuilds the read models of one service. ``kafka`` and ``prefix`` are its consumers' own."""

    def __init__(self, settings: DatabaseSettings, consumers: Sequence[Consumer], *, kafka: str, prefix: str = "") -> None:
        self._settings = settings
        self._consumers = consumers
        self._kafka = kafka
        self._prefix = prefix

    async def listed(self) -> list[tuple[ReadModel, list[str]]]:
        """Every read model, and why it cannot be rebuilt; nothing where it can."""
        async with self._owner() as owner:
            return [(model, await catalogue.obstacles(owner, model.tables)) for model in read_models(self._consumers)]

    async def rebuild(self, name: str, wanted: Wanted = Wanted(), say: Say = lambda _what, _done, _of: None) -> Report:
        """Rebuild a read model, or check it.

        Raises:
            NoSuchReadModel, NotRebuildable, RebuiltAlready, NoOwner, TooManyWouldVanish, LogTooShort, SchemaChanged, InTheWay: as they say.
            Braked, Defect: as a consumer's batch.
        """
        model = find(self._consumers, name)
        async with self._owner() as owner, _alone(owner, model):
            if why := await catalogue.obstacles(owner, model.tables):
                raise NotRebuildable("; ".join(why))
            report = Report(model=model, resumed=await self._begin(owner, model, anew=wanted.anew))
            async with self._filling(model) as (database, reader):
                await self._fill(owner, model, reader, say)
                await self._compare(model, database, reader, report, say)
                report.parked = await owner.fetchval("select count(*) from parked where consumer = $1", model.consumer.group)
                if not wanted.check:
                    await self._swap(owner, report, reader, wanted, say)
            await self._clear(owner, report, wanted)
        return report

    async def _begin(self, owner: Connection, model: ReadModel, *, anew: bool) -> bool:
        """Make the second tables, or go on with those that an earlier run has left; answers whether it does."""
        left = await beside.standing(owner, model.tables)
        if not anew and len(left) == len(model.tables) and not await _columns_changed(owner, model):
            return True
        async with owner.transaction():
            await beside.drop(owner, model.tables)
            await swapping.forget(owner, model)
            await beside.make(owner, self._settings.service, model.tables)
        return False

    async def _fill(self, owner: Connection, model: ReadModel, reader: Filling, say: Say) -> None:
        """Read until the live consumer is near, which goes on meanwhile; then make the indexes that were left out."""
        before: dict[Any, int] = {}
        for _ in range(_ROUNDS):
            ahead = await reached(owner, model.group, self._topics(model))
            if before and sum(ahead.values()) - sum(before.values()) <= _NEAR:
                break
            await reader.up_to(ahead, lambda passed, of: say("reading", passed, of))
            before = ahead
        say("indexing", 0, 1)
        await beside.finish(owner, model.tables)

    async def _compare(self, model: ReadModel, database: WorkerDatabase, reader: Filling, report: Report, say: Say) -> None:
        async with snapshot(database, model.group, self._topics(model)) as live:
            await reader.up_to(live.reached)
            for done, table in enumerate(model.tables):
                say("comparing", done, len(model.tables))
                report.tables.append(await live.compare(database, table))
            report.records = sum(live.reached.values())

    async def _swap(self, owner: Connection, report: Report, reader: Filling, wanted: Wanted, say: Say) -> None:
        vanish = sum(table.extra for table in report.tables)
        if vanish > wanted.may_vanish:
            raise TooManyWouldVanish(f"{vanish} rows would vanish")
        say("swapping", 0, 1)
        report.held = await swapping.swap(owner, report.model, reader, self._topics(report.model))
        report.swapped = True

    async def _clear(self, owner: Connection, report: Report, wanted: Wanted) -> None:
        tables = report.model.tables
        if wanted.check:
            await beside.drop(owner, tables)
            await swapping.forget(owner, report.model)
        elif not wanted.keep:
            await beside.drop(owner, tables, BEFORE)

    def _topics(self, model: ReadModel) -> list[str]:
        return [self._prefix + topic for topic in model.topics]

    @asynccontextmanager
    async def _filling(self, model: ReadModel) -> AsyncIterator[tuple[WorkerDatabase, Filling]]:
        """Connections that find the second tables first. What they lose in a crash of the server they lose with its fences."""
        found_first = {"search_path": f"{BESIDE}, {LIVE}", "synchronous_commit": "off", "lock_timeout": "60s"}
        database = WorkerDatabase(self._settings, SystemClock(), connections=_SIDE_BY_SIDE, server_settings=found_first)
        try:
            async with filling(database, model, kafka=self._kafka, prefix=self._prefix) as reader:
                yield database, reader
        finally:
            await database.close()

    @asynccontextmanager
    async def _owner(self) -> AsyncIterator[Connection]:
        if "owner" not in self._settings.passwords:
            raise NoOwner
        connection = await asyncpg.connect(
            **self._settings.reached_as("owner"),
            timeout=5,
            server_settings={"search_path": LIVE, "application_name": f"{self._settings.service} rebuild"},
        )
        try:
            yield connection
        finally:
            await connection.close(timeout=2)


@asynccontextmanager
async def _alone(owner: Connection, model: ReadModel) -> AsyncIterator[None]:
    """One rebuild of a read model at a time; the lock ends with its connection."""
    if not await owner.fetchval("select pg_try_advisory_lock(hashtextextended($1, 0))", model.consumer.group):
        raise RebuiltAlready
    yield


async def _columns_changed(owner: Connection, model: ReadModel) -> bool:
    """Whether the live tables have other columns than those that were begun."""
    return any(": column" in one or one.endswith(": table") for one in await catalogue.unlike(owner, model.tables))
