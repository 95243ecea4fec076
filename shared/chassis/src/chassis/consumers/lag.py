"""Lag in seconds: how old what a consumer knows may be at most.

A partition is as of its last record that took effect, or as of when the broker last said that
nothing was left. So an idle topic has no lag, and a broker that does not answer has a growing
one. Health has two thresholds, so that a consumer that works along the edge does not flap.
"""

import time
from collections.abc import Callable, Collection, Hashable
from typing import Final

from prometheus_client import Gauge

from chassis.metrics import REGISTRY

SECONDS: Final = Gauge("consumer_lag_seconds", "How old what a consumer knows may be at most", ("consumer",), registry=REGISTRY)

LATE: Final = 60.0
ON_TIME: Final = 10.0


class Lag:
    """The lag of one worker of a consumer. Instants are seconds since the epoch."""

    def __init__(self, group: str, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._as_of: dict[Hashable, float] = {}
        self._unread: set[Hashable] = set()
        self._late = False
        SECONDS.labels(group).set_function(self.seconds)

    def follow(self, partitions: Collection[Hashable]) -> None:
        """These partitions are read from now on. One that was not read before counts from now, until more is known."""
        self._unread = {one for one in partitions if one not in self._as_of or one in self._unread}
        self._as_of = {one: self._as_of.get(one, self._clock()) for one in partitions}

    def reach(self, partition: Hashable, instant: float) -> None:
        """All that a partition held at an instant has taken effect. It never goes back, as when old records are told again."""
        if partition in self._as_of:
            known = 0.0 if partition in self._unread else self._as_of[partition]
            self._unread.discard(partition)
            self._as_of[partition] = max(known, min(instant, self._clock()))

    def seconds(self) -> float:
        """The slowest partition's lag; 0 for a worker that has none."""
        return max(0.0, self._clock() - min(self._as_of.values())) if self._as_of else 0.0

    @property
    def keeps_up(self) -> bool:
        """False from 60 s of lag on, until it is under 10 s again."""
        self._late = self.seconds() > (ON_TIME if self._late else LATE)
        return not self._late
