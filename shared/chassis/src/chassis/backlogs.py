"""Backlogs: how much is due and not done, and how much is parked, looked at every few seconds.

Every worker of a service shows the same figures; whoever adds them up takes the highest.
"""

import asyncio
from contextlib import suppress
from datetime import datetime
from typing import Final

import structlog
from prometheus_client import Gauge
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from chassis.clock import Clock
from chassis.database.worker import WorkerDatabase
from chassis.metrics import REGISTRY

log = structlog.get_logger()

DUE: Final = Gauge("due_backlog_items", "Work whose time has come and that is not done", ("kind",), registry=REGISTRY)
OLDEST: Final = Gauge("due_oldest_seconds", "For how long the work that waits longest has been due", ("kind",), registry=REGISTRY)
FAILING: Final = Gauge("due_failing_items", "Work that was tried before and will be tried again", ("kind",), registry=REGISTRY)
PARKED: Final = Gauge(
    "consumer_parked_records",
    "Records that are parked, and those that are blocked behind them",
    ("consumer", "standing"),
    registry=REGISTRY,
)

_EVERY: Final = 5.0
_DUE: Final = text("""
select kind, count(*) filter (where retry_at <= :now) as waiting, count(*) filter (where attempts > 0) as failing,
       coalesce(extract(epoch from :now - min(retry_at)), 0)::float8 as oldest
  from due where (retry_at <= :now and not sandbox) or attempts > 0 group by kind
""").execution_options(across_partners="the figures are the service's")
_PARKED: Final = text("select consumer, standing, count(*) as records from parked where settled_at is null group by consumer, standing")


class Backlogs:
    """Looks, until it is stopped."""

    def __init__(self, database: WorkerDatabase, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._stopping = asyncio.Event()
        self.name: Final = "backlogs"
        self.failures: Final = 0
        """Nothing depends on a look, so a failed one makes nobody unready."""

    async def run(self) -> None:
        while not self._stopping.is_set():
            try:
                await self.look(self._clock.now())
            except (SQLAlchemyError, OSError) as failure:
                log.info("backlogs_unknown", reason=repr(failure))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), timeout=_EVERY)

    def stop(self) -> None:
        self._stopping.set()

    async def look(self, now: datetime) -> None:
        """Look once. What is not there any more is not shown any more."""
        async with self._database.work() as work:
            due = (await work.session.execute(_DUE, {"now": now})).all()
            parked = (await work.session.execute(_PARKED)).all()
        for gauge in (DUE, OLDEST, FAILING, PARKED):
            gauge.clear()
        for row in due:
            DUE.labels(row.kind).set(row.waiting)
            OLDEST.labels(row.kind).set(max(0.0, row.oldest))
            FAILING.labels(row.kind).set(row.failing)
        for row in parked:
            PARKED.labels(row.consumer, row.standing).set(row.records)
