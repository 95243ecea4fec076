"""Leading: one relay of all replicas publishes, the others stand by.

The order is what keeps a key's newest version last: the lock first, then the producer, whose
start fences all earlier ones, and only then are rows read, on the lock's own connection. So
whoever can still write has read after everybody who cannot.
"""

import asyncio
import time
from typing import Any, Final

import asyncpg
import structlog
from aiokafka.errors import ProducerFenced

from chassis.database.locks import Lock
from chassis.database.worker import WorkerDatabase
from chassis.failures import OUTSIDE, reason_of
from chassis.loops import pause
from chassis.relay.beating import Heart
from chassis.relay.fencing import producing
from chassis.relay.measuring import Pulse
from chassis.relay.publishing import Publisher
from chassis.relay.reading import PLANNING
from chassis.relay.terms import Term
from chassis.relay.waking import Bell
from chassis.retrying import backoff

log = structlog.get_logger()

_STAND_BY: Final = 0.5
_BACKOFF: Final = (0.1, 0.5, 1.0, 2.0)
_TERM: Final = 86_400.0
"""Seconds after which a leader starts a new producer: what was not renewed for seven days, a broker forgets with its epoch."""
_ANSWER_WITHIN: Final = 10.0


class Relay:
    """Publishes one service's outbox until it is stopped, and beats with its ``heart``."""

    def __init__(self, database: WorkerDatabase, *, kafka: str, prefix: str = "", heart: Heart | None = None) -> None:
        self._database = database
        self._kafka = kafka
        self._prefix = prefix
        self._heart = heart
        self._stopping = asyncio.Event()
        self._rung = asyncio.Event()
        self._pulse = Pulse(database)
        self._suspects: set[int] = set()
        """Rows of batches that were refused for their size: each is tried alone, to find the one."""
        self.name: Final = "relay"
        self.failures = 0
        """Failures in a row; 0 while all is well (readiness)."""

    @property
    def leading(self) -> bool:
        return self._pulse.leading

    @property
    def stuck(self) -> bool:
        """Whether it leads and gets nowhere (readiness)."""
        return self._pulse.stuck

    async def run(self) -> None:
        """Lead whenever nobody else does, until ``stop``. A lost database or broker is waited for."""
        async with asyncio.TaskGroup() as both:
            measuring = both.create_task(self._pulse.run())
            try:
                await self._lead_or_wait()
            finally:
                measuring.cancel()

    async def _lead_or_wait(self) -> None:
        while not self._stopping.is_set():
            try:
                await self._stand()
            except ProducerFenced:
                log.warning("relay_fenced")
            except OUTSIDE as failure:
                self.failures += 1
                log.warning("relay_interrupted", reason=reason_of(failure), failures=self.failures)
            finally:
                self._pulse.leading = False
            await pause(self._stopping, backoff(self.failures, _BACKOFF))

    def stop(self) -> None:
        """Ask the loop to end after the wave in hand."""
        self._stopping.set()
        self._rung.set()

    async def _stand(self) -> None:
        """Wait for the lock on one connection, and lead while it lasts.

        The server ends a connection whose client sleeps: one that waits for a statement after
        5 s, one that does not read what was sent to it likewise. So the lock comes free.
        """
        name = f"{self._database.settings.service} relay"
        limits = {"idle_session_timeout": "5s", "tcp_user_timeout": "5s", "lock_timeout": "2s", "application_name": name}
        async with self._database.direct(**limits, **PLANNING) as connection:
            while not self._stopping.is_set():
                if await connection.fetchval("select pg_try_advisory_lock($1)", Lock.LEADING, timeout=_ANSWER_WITHIN):
                    await self._lead(connection)
                else:
                    self.failures = 0
                    await pause(self._stopping, _STAND_BY)

    async def _lead(self, connection: "asyncpg.Connection[Any]") -> None:
        self._pulse.leading = True
        bell = Bell(connection, self._rung)
        await bell.listen()
        while not self._stopping.is_set():
            async with producing(self._kafka, f"{self._prefix}{self._database.settings.service}.relay") as producer:
                log.info("relay_leads")
                term = Term(connection, Publisher(producer, self._prefix), self._suspects)
                await self._serve(term, bell, connection)

    async def _serve(self, term: Term, bell: Bell, connection: "asyncpg.Connection[Any]") -> None:
        """Publish until it is time for another producer."""
        ends = time.monotonic() + _TERM
        while not self._stopping.is_set() and time.monotonic() < ends and not term.over:
            if self._heart is not None:
                await self._heart.beat(connection)
            if waiting := await term.look():
                await bell.wake()
                await term.publish()
            self.failures = 0
            self._pulse.turned()
            if not waiting:
                await bell.rest()
        await term.settle()
