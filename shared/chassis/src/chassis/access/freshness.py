"""How old what this service knows of rights may be at most, known in memory by every process that answers requests.

The access consumer, wherever it runs, notes with its effects when each partition's last beat was
told. Here that is looked at twice a second, so a request pays nothing for it. What was looked at
stays true: whatever stood before those beats is in every later transaction. A look that fails
lets the age grow, and nothing else: rights are then asked for.
"""

import math
from datetime import datetime, timedelta
from typing import Final

from prometheus_client import Gauge
from sqlalchemy import text

from chassis.clock import Clock
from chassis.database import ApiDatabase
from chassis.loops import Periodic
from chassis.metrics import REGISTRY

FRESH: Final = timedelta(seconds=5)
"""Younger than this is as good as what customers itself would say."""
READABLE: Final = timedelta(seconds=60)
"""Younger than this is good enough to read, where customers can not be asked."""

AGE: Final = Gauge("access_age_seconds", "How old what is known of rights may be at most", registry=REGISTRY)

_EVERY: Final = 0.5
_HEARD: Final = text("select beat_at, as_of from door.access_heard()")


class Freshness(Periodic):
    """Looks until it is stopped. Nobody is made unready by knowing less: who asks is confirmed by customers."""

    def __init__(self, database: ApiDatabase, clock: Clock) -> None:
        super().__init__("freshness of access", _EVERY, matters=False)
        self._database = database
        self._clock = clock
        self._began = clock.now()
        self.known_at: datetime | None = None
        """Everything that customers had committed by then is known here."""
        self.caught_up = False
        """Whether everything that stood in the log when this process began has taken effect (readiness)."""
        AGE.set_function(self._seconds)

    @property
    def age(self) -> timedelta:
        """Everything that customers committed longer ago is known here."""
        return timedelta.max if self.known_at is None else self._clock.now() - self.known_at

    @property
    def fresh(self) -> bool:
        return self.age < FRESH

    @property
    def readable(self) -> bool:
        return self.age < READABLE

    async def look(self) -> None:
        """Look once; ``run`` does so twice a second."""
        async with self._database.at_the_door() as door:
            heard = (await door.execute(_HEARD)).one()
        self.known_at = heard.beat_at
        self.caught_up = self.caught_up or (heard.as_of is not None and heard.as_of >= self._began)

    def _seconds(self) -> float:
        return math.inf if self.known_at is None else self.age.total_seconds()
