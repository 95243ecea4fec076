"""What a relay shows of itself: how long the oldest row has waited, how many wait, and whether it gets anywhere."""

import time
from typing import Final

from prometheus_client import Counter, Gauge
from sqlalchemy import text

from chassis.database.outbox import Lane
from chassis.database.worker import WorkerDatabase
from chassis.loops import Periodic
from chassis.metrics import REGISTRY

PUBLISHED: Final = Counter("relay_published", "Rows of the outbox that the broker acknowledged", registry=REGISTRY)
LEADING: Final = Gauge("relay_leading", "Whether this process publishes the outbox (one of all replicas does)", registry=REGISTRY)
OLDEST: Final = Gauge("relay_oldest_row_seconds", "Age of the oldest row that is not acknowledged", registry=REGISTRY)
BACKLOG: Final = Gauge("relay_backlog_rows", "Rows that wait to be sent", ("lane",), registry=REGISTRY)
PARKED: Final = Gauge(
    "relay_parked_rows", "Rows that the broker refused or has no topic for, and those that follow them", registry=REGISTRY
)

_LANES: Final = ("urgent", "usual", "bulk")
_MOST_COUNTED: Final = 1_000_001
_LOOK_EVERY: Final = 1.0
_LOOK_SHARE: Final = 0.02
"""Of the time, at most, goes into looking: counting a long backlog takes long."""
_STUCK_AFTER: Final = 30.0

_LOOK: Final = text(f"""
select l.lane, (select count(*) from (select from outbox o where o.lane = l.lane limit {_MOST_COUNTED}) counted) as rows,
       (select extract(epoch from clock_timestamp() - o.created_at)::float8
          from outbox o where o.lane = l.lane order by o.id limit 1) as oldest
  from (values (0), (1), (2), (3)) as l(lane) order by l.lane
""")  # noqa: S608 (a constant)


class Pulse(Periodic):
    """Whether the relay that leads gets anywhere. It looks for itself: nothing is published later because figures are late."""

    def __init__(self, database: WorkerDatabase) -> None:
        super().__init__("pulse", _LOOK_EVERY, matters=False)
        self._database = database
        self._leading = False
        self._turned = 0.0
        self._waiting_since: float | None = None

    @property
    def leading(self) -> bool:
        return self._leading

    @leading.setter
    def leading(self, leads: bool) -> None:
        self._leading = leads
        self._turned = time.monotonic()
        self._waiting_since = None
        LEADING.set(leads)
        if not leads:
            OLDEST.set(0)
            for lane in _LANES:
                BACKLOG.labels(lane).set(0)

    @property
    def stuck(self) -> bool:
        """Whether, while leading, nothing has turned for 30 s, or a row that is not bulk has waited for longer (readiness)."""
        now = time.monotonic()
        return self._leading and (
            now - self._turned > _STUCK_AFTER or (self._waiting_since is not None and now - self._waiting_since > _STUCK_AFTER)
        )

    def turned(self) -> None:
        """Another turn is done."""
        self._turned = time.monotonic()

    async def look(self) -> None:
        """Look how much waits; what others publish is theirs to say."""
        if not self._leading:
            return
        began = time.monotonic()
        async with self._database.work() as work:
            *lanes, parked = (await work.session.execute(_LOOK)).all()
        self.seconds = max(_LOOK_EVERY, (time.monotonic() - began) / _LOOK_SHARE)
        if self._leading:
            for name, lane in zip(_LANES, lanes, strict=True):
                BACKLOG.labels(name).set(lane.rows)
            PARKED.set(parked.rows)
            OLDEST.set(max((lane.oldest or 0.0 for lane in lanes), default=0.0))
            awaited = [lane.oldest for lane in lanes if lane.oldest is not None and lane.lane < Lane.BULK]
            self._waiting_since = time.monotonic() - max(awaited) if awaited else None
