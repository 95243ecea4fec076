"""What a relay shows of itself: how long the oldest row has waited, how many wait, and whether it gets anywhere."""

import time
from typing import Any, Final

import asyncpg
from prometheus_client import Counter, Gauge

from chassis.metrics import REGISTRY

PUBLISHED: Final = Counter("relay_published", "Rows of the outbox that the broker acknowledged", registry=REGISTRY)
LEADING: Final = Gauge("relay_leading", "Whether this process publishes the outbox (one of all replicas does)", registry=REGISTRY)
OLDEST: Final = Gauge("relay_oldest_row_seconds", "Age of the oldest row that is not acknowledged", registry=REGISTRY)
BACKLOG: Final = Gauge("relay_backlog_rows", "Rows that wait to be sent", ("lane",), registry=REGISTRY)
PARKED: Final = Gauge(
    "relay_parked_rows", "Rows that the broker refused or has no topic for, and those that follow them", registry=REGISTRY
)

_LANES: Final = ("urgent", "usual", "bulk")
_LOOK_EVERY: Final = 1.0
_LOOK_SHARE: Final = 0.02
"""Of the time, at most, goes into looking: counting a long backlog takes long."""
_STUCK_AFTER: Final = 30.0
_ANSWER_WITHIN: Final = 10.0

_LOOK: Final = """
select count(*) filter (where lane = 0) as urgent, count(*) filter (where lane = 1) as usual, count(*) filter (where lane = 2) as bulk,
       count(*) filter (where lane = 3) as parked,
       extract(epoch from clock_timestamp() - min(created_at) filter (where lane < 3))::float8 as oldest,
       extract(epoch from clock_timestamp() - min(created_at) filter (where lane < 2))::float8 as oldest_awaited
  from outbox
"""


class Pulse:
    """Whether the relay that leads gets anywhere."""

    def __init__(self) -> None:
        self._leading = False
        self._turned = 0.0
        self._waiting_since: float | None = None
        self._next_look = 0.0

    @property
    def leading(self) -> bool:
        return self._leading

    @leading.setter
    def leading(self, leads: bool) -> None:
        self._leading = leads
        self._turned = time.monotonic()
        self._waiting_since = None
        self._next_look = 0.0
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

    async def beat(self, connection: "asyncpg.Connection[Any]") -> None:
        """Another turn is done; once a second, look how much waits."""
        self._turned = time.monotonic()
        if self._turned < self._next_look:
            return
        seen = await connection.fetchrow(_LOOK, timeout=_ANSWER_WITHIN)
        took = time.monotonic() - self._turned
        self._next_look = self._turned + max(_LOOK_EVERY, took / _LOOK_SHARE)
        if seen is None:
            return
        for lane in _LANES:
            BACKLOG.labels(lane).set(seen[lane])
        PARKED.set(seen["parked"])
        OLDEST.set(seen["oldest"] or 0)
        self._waiting_since = None if seen["oldest_awaited"] is None else self._turned - seen["oldest_awaited"]
