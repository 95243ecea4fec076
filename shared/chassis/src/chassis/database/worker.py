"""Connections of workers: consumers, due work and the relay log in as ``<service>_worker``.

A worker's unit of work has no partner. Each item in it names one, in a savepoint of its own,
and hands features the same ``Transaction`` that a request does.
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from chassis import logs, tracing
from chassis.clock import Clock
from chassis.database import audit, clocks, driver, outbox, pools
from chassis.database.audit import Entry
from chassis.database.clocks import PartnerClock
from chassis.database.heads import pending
from chassis.database.logins import refuse_mighty
from chassis.database.outbox import Lane, Told
from chassis.database.pools import Pool
from chassis.database.settings import DatabaseSettings
from chassis.database.transaction import Origin, Transaction
from chassis.database.watching import WatchedAsyncSession
from chassis.tracing import Segment
from contracts.envelope import Envelope


class Work:
    """One transaction of a worker; everything its items told is written at its end, in one go."""

    def __init__(self, session: AsyncSession, *, service: str, clock: Clock) -> None:
        self.session: Final = session
        self._service = service
        self._clock = clock
        self._told: list[Told] = []
        self._audited: list[Entry] = []
        self._clocks: dict[UUID, PartnerClock | None] = {}
        self._together = False

    @asynccontextmanager
    async def item(
        self, partner_id: UUID, *, cause: Envelope | None = None, at: datetime | None = None, lane: Lane = Lane.USUAL
    ) -> AsyncIterator[Transaction]:
        """Work for one partner, caused by an event or by its time having come (``at``: business time, UTC).

        Without either its time is the partner's present. Bulk work says ``lane=Lane.BULK``. An exception
        undoes the item alone, and what it told is forgotten.
        """
        real_now = self._clock.now()
        clock = await self._clock_of(partner_id)
        now = at or (clock.now(real_now) if clock else real_now)
        with logs.about(partner_id, cause), _continuing(cause) as segment:
            origin = Origin(
                source=f"/{self._service}",
                real_now=real_now,
                correlation_id=cause.correlation_id if cause else None,
                causation_id=str(cause.id) if cause else None,
                traceparent=segment.traceparent,
                sandbox=clock is not None or (cause is not None and cause.sandbox),
                lane=lane,
            )
            async with nullcontext() if self._together else self.session.begin_nested():
                tx = Transaction(self.session, partner_id=partner_id, now=now, origin=origin)
                yield tx
                await self.session.flush()
        self._told.extend(tx.told)
        self._audited.extend(tx.audited)

    async def look_at_clocks(self, partner_ids: Iterable[UUID]) -> None:
        """Learn in one statement which of these partners are sandboxes; a partner that was not looked at costs its item one of its own."""
        unknown = set(partner_ids) - self._clocks.keys()
        if unknown:
            found = await clocks.of(self.session, unknown)
            self._clocks |= {partner_id: found.get(partner_id) for partner_id in unknown}

    async def _clock_of(self, partner_id: UUID) -> PartnerClock | None:
        await self.look_at_clocks([partner_id])
        return self._clocks[partner_id]

    def note_clock(self, partner_id: UUID, clock: PartnerClock | None) -> None:
        """Say what is known already of a partner's clock."""
        self._clocks[partner_id] = clock

    @asynccontextmanager
    async def together(self) -> AsyncIterator[None]:
        """Items inside share one savepoint: an exception undoes them all, and what they told is forgotten."""
        told, audited = len(self._told), len(self._audited)
        self._together = True
        try:
            async with self.session.begin_nested():
                yield
        except BaseException:
            del self._told[told:], self._audited[audited:]
            raise
        finally:
            self._together = False

    async def finish(self) -> None:
        await audit.write(self.session, self._audited)
        await outbox.write(self.session, self._told)


class WorkerDatabase:
    """The database as workers see it. Open it once per process.

    ``pool`` is its name in the metrics; ``server_settings`` are PostgreSQL's own, of each connection in its pool.
    """

    def __init__(
        self,
        settings: DatabaseSettings,
        clock: Clock,
        *,
        connections: int = 8,
        pool: Pool = "work",
        server_settings: Mapping[str, str] | None = None,
    ) -> None:
        self.settings: Final = settings
        self._pool = pool
        self._clock = clock
        self._connections = connections
        self._engine = create_async_engine(
            driver.url(settings, "worker"),
            async_creator=partial(driver.connect, **driver.reached(settings, "worker"), server_settings=dict(server_settings or {})),
            pool_size=connections,
            max_overflow=0,
            pool_timeout=30,
            hide_parameters=True,
        )

    async def open(self) -> None:
        """Connect, and refuse a login that could lift row-level security."""
        async with self.direct() as connection:
            await refuse_mighty(connection, service=self.settings.service)
        pools.show(self._pool, self._engine.pool.checkedout, self._connections)  # type: ignore[attr-defined]  # as QueuePool has it

    async def close(self) -> None:
        pools.hide(self._pool)
        await self._engine.dispose()

    async def ping(self) -> None:
        """Whether work would get a connection, and an answer (readiness)."""
        async with self._engine.connect() as connection:
            await connection.execute(text("select 1"))

    async def pending(self, migrations: Path | None) -> list[str]:
        """Version tables that are behind this code (readiness)."""
        async with self.direct() as connection:
            return await pending(connection, migrations)

    @asynccontextmanager
    async def work(self) -> AsyncIterator[Work]:
        """Leaving it without an exception commits the whole unit of work."""
        async with WatchedAsyncSession(self._engine, expire_on_commit=False) as session, session.begin():
            work = Work(session, service=self.settings.service, clock=self._clock)
            yield work
            await session.flush()
            await work.finish()

    @asynccontextmanager
    async def direct(self, **server_settings: str) -> "AsyncIterator[asyncpg.Connection[Any]]":
        """A connection of one's own, outside every pool; whoever has it says how long each statement may take."""
        connection = await driver.connect(
            **self.settings.reached_as("worker"),
            timeout=5,
            server_settings=server_settings,
        )
        try:
            yield connection
        finally:
            await connection.close(timeout=2)


def _continuing(cause: Envelope | None) -> AbstractContextManager[Segment]:
    """What an event causes is a piece of its trace; what the clock causes, of the one in hand."""
    if cause is None:
        return nullcontext(Segment(tracing.current()))
    if cause.traceparent is None:
        return nullcontext(Segment(None))
    return tracing.segment(f"take {cause.type}", parent=cause.traceparent, attributes={"messaging.message.id": str(cause.id)})
