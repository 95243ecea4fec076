"""Backlogs: how much is due and not done, and how much is parked, looked at every few seconds.

Every worker of a service shows the same figures; whoever adds them up takes the highest.
"""

from typing import Final

from prometheus_client import Gauge
from sqlalchemy import text

from chassis.clock import Clock
from chassis.database.worker import WorkerDatabase
from chassis.loops import Periodic
from chassis.metrics import REGISTRY

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
select kind, sum(waiting)::bigint as waiting, sum(failing)::bigint as failing, max(oldest) as oldest
  from (select kind, count(*) as waiting, 0 as failing, extract(epoch from :now - min(retry_at))::float8 as oldest
          from due where not sandbox and retry_at <= :now group by kind
        union all
        select kind, 0, count(*), 0 from due where attempts > 0 group by kind) both_ways group by kind
""").execution_options(across_partners="the figures are the service's")
_PARKED: Final = text("select consumer, standing, count(*) as records from parked where settled_at is null group by consumer, standing")


class Backlogs(Periodic):
    """Looks, until it is stopped. Nothing depends on a look."""

    def __init__(self, database: WorkerDatabase, clock: Clock) -> None:
        super().__init__("backlogs", _EVERY, matters=False)
        self._database = database
        self._clock = clock

    async def look(self) -> None:
        """Look once. What is not there any more is not shown any more."""
        async with self._database.work() as work:
            due = (await work.session.execute(_DUE, {"now": self._clock.now()})).all()
            parked = (await work.session.execute(_PARKED)).all()
        for gauge in (DUE, OLDEST, FAILING, PARKED):
            gauge.clear()
        for row in due:
            DUE.labels(row.kind).set(row.waiting)
            OLDEST.labels(row.kind).set(row.oldest)
            FAILING.labels(row.kind).set(row.failing)
        for row in parked:
            PARKED.labels(row.consumer, row.standing).set(row.records)
