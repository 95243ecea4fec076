"""How a worker stands: well, failing, stopped at a defect, or held by the outage brake; and when it tries again."""

from typing import Any, Final
from uuid import UUID

import structlog
from prometheus_client import Gauge

from chassis.consumers import brake
from chassis.consumers.batches import Defect
from chassis.consumers.brake import Brake, Braked
from chassis.database.worker import WorkerDatabase
from chassis.failures import OUTSIDE
from chassis.metrics import REGISTRY
from chassis.retrying import backoff

log = structlog.get_logger()

STOPPED: Final = Gauge("consumer_stopped", "Whether a consumer stands still until somebody looks", ("consumer",), registry=REGISTRY)

_BACKOFF: Final = (0.1, 0.5, 1.0, 2.0, 5.0)
_DEFECT_BACKOFF: Final = (1.0, 5.0, 15.0, 60.0)
_BRAKED: Final = 1.0
_NOT_READY: Final = 3


class Standing:
    """The standing of one worker of a consumer. ``brake`` is the one that its batches count with."""

    def __init__(self, group: str, slot: str, database: WorkerDatabase, brake: Brake) -> None:
        self._group = group
        self._slot = slot
        self._database = database
        self._brake = brake
        self._brake_id: UUID | None = None
        self.failures = 0
        """Failures in a row; three or more are not ready."""
        self.next_try = 0.0
        """Seconds to wait before the next try."""

    def well(self) -> None:
        """The batch in hand took effect, or there is none; only a release ends what the brake holds."""
        if self._brake_id is None:
            self.failures = 0
            STOPPED.labels(self._group).set(0)

    def failed(self, event: str, failure: BaseException, **about: Any) -> None:
        """The world is in the way: try again soon, and less soon each time."""
        self.failures += 1
        self.next_try = backoff(self.failures, _BACKOFF)
        log.warning(event, consumer=self._group, reason=repr(failure), failures=self.failures, **about)

    def stopped_by(self, defect: Defect) -> None:
        """Stand still at a record that shows a defect: not ready at once, tried again ever more rarely."""
        self.failures = max(self.failures + 1, _NOT_READY)
        self.next_try = backoff(self.failures - _NOT_READY + 1, _DEFECT_BACKOFF)
        STOPPED.labels(self._group).set(1)
        where = {"topic": defect.place.topic, "partition": defect.place.partition, "offset": defect.place.offset}
        log.error("consumer_stopped", consumer=self._group, **where, retry_in=self.next_try, exc_info=defect.__cause__)

    async def braked(self, braked: Braked) -> None:
        """Stand still until somebody releases the brake."""
        self.failures = max(self.failures, _NOT_READY)
        self.next_try = _BRAKED
        STOPPED.labels(self._group).set(1)
        try:
            async with self._database.work() as work:
                self._brake_id = await brake.engage(work.session, self._group, self._slot, str(braked))
        except OUTSIDE as failure:
            log.warning("brake_not_noted", consumer=self._group, reason=repr(failure))
        log.error("consumer_braked", consumer=self._group, reason=str(braked))

    async def may_go_on(self) -> bool:
        """Whether no brake holds it, or somebody has released it."""
        if self._brake_id is None:
            return True
        async with self._database.work() as work:
            allowance = await brake.released(work.session, self._brake_id)
        if allowance is None:
            return False
        log.warning("brake_released", consumer=self._group, allowance=allowance)
        self._brake.release(allowance)
        self._brake_id = None
        return True
