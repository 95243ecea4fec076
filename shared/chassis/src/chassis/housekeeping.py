"""Housekeeping: what a service forgets because it may not be kept for ever, once an hour.

Answers stored under idempotency keys hold what they answered, people's names too: they are
kept for 48 hours. A service may give more chores of its own. Several workers may do them at
once, and what fails is done the next time.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.clock import Clock
from chassis.database.worker import WorkerDatabase
from chassis.failures import OUTSIDE, reason_of
from chassis.http import idempotency
from chassis.loops import Periodic

log = structlog.get_logger()

type Chore = Callable[[AsyncSession, datetime], Awaitable[int]]
"""Deletes what is too old at an instant, and answers how many rows that were."""

KEYS_KEPT: Final = timedelta(hours=48)
_EVERY: Final = 3600.0


async def forget_answers(session: AsyncSession, now: datetime) -> int:
    return await idempotency.purge(session, now - KEYS_KEPT)


class Housekeeping(Periodic):
    """Does the chores of a service until it is stopped. Nothing depends on a chore."""

    def __init__(self, database: WorkerDatabase, clock: Clock, chores: Sequence[Chore] = ()) -> None:
        super().__init__("housekeeping", _EVERY, matters=False)
        self._database = database
        self._clock = clock
        self._chores = (forget_answers, *chores)

    async def look(self) -> None:
        """Do every chore once, each in a transaction of its own."""
        for chore in self._chores:
            try:
                async with self._database.work() as work:
                    gone = await chore(work.session, self._clock.now())
                if gone:
                    log.info("old_rows_forgotten", chore=chore.__name__, rows=gone)
            except OUTSIDE as failure:
                log.info("chore_failed", chore=chore.__name__, reason=reason_of(failure))
