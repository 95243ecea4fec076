"""Working off what is due, oldest first.

A sandbox partner's work is due by its own clock, one piece at a time, oldest first, also when the
world was in the way of one; only what asks to be tried later, or fails for a reason of its own, is
passed. What is real goes before it. ``retry_at`` is real time for everybody: nobody tries before it.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import structlog
from sqlalchemy import Row, delete, text, update
from sqlalchemy.exc import DBAPIError

from chassis import tracing
from chassis.clock import Clock
from chassis.database.worker import Work, WorkerDatabase
from chassis.due.kinds import Due, DueItem, Retry
from chassis.due.planning import DueRow
from chassis.failures import OUTSIDE, Verdict, judge, readable, reason_of
from chassis.loops import pause

log = structlog.get_logger()

_IDLE: Final = 0.2
_KEEPS_ITS_PLACE: Final = 5
"""Tries of a sandbox's piece in whose way the world was, until others pass it."""
_LONGEST: Final = timedelta(hours=1)
_LEAVE: Final = text("select set_config('idle_in_transaction_session_timeout', :patience, true)")
"""A worker's open transaction that says nothing is ended after ten seconds, unless it asks for more."""


_COLUMNS: Final = ", ".join(column.name for column in DueRow.__table__.c)
CLAIM: Final = (
    text(f"""
with usual as materialized (
    select {_COLUMNS} from due
     where not sandbox and retry_at <= :now and array_position(cast(:kinds as text[]), kind) is not null
     order by retry_at, id limit 1 for update skip locked
), play as materialized (
    select d.* from clocks c
      cross join lateral (
        select due.partner_id, due.id, due.due_at from due
         where due.sandbox and due.partner_id = c.partner_id and due.due_at <= coalesce(c.standing_at, :now + c.ahead)
           and due.retry_at <= :now and array_position(cast(:kinds as text[]), due.kind) is not null
         order by due.partner_id, due.due_at, due.id limit 1
      ) oldest
      join due d on d.partner_id = oldest.partner_id and d.id = oldest.id
     where not exists (select from usual)
     order by oldest.due_at, oldest.id limit 1 for update of d skip locked
)
select {_COLUMNS} from usual union all select {_COLUMNS} from play
""")  # noqa: S608 (names of columns)
    .columns(*DueRow.__table__.c)
    .execution_options(across_partners="whoever's work has waited longest is done first")
)
"""The piece that has been due longest. Of a sandbox only the oldest is looked at: while somebody has it in hand, no other is taken.

Nearly all kinds are known to whoever asks, so they are no condition for an index: it would lead away from the order.
"""


class DueWorker:
    """Works off what is due, oldest first, until it is stopped.

    It has several hands, so that an item that waits holds no other back; what waits for somebody outside
    (``Due.outside``) has a worker of its own, because such items come in crowds. While nothing is due
    one hand looks out for all.
    """

    def __init__(self, kinds: Sequence[Due], database: WorkerDatabase, clock: Clock, *, hands: int = 3, name: str = "due work") -> None:
        self._kinds = {due.kind: due for due in kinds}
        self._database = database
        self._clock = clock
        self._hands = hands
        self._stopping = asyncio.Event()
        self._lookout = asyncio.Lock()
        self._found = asyncio.Event()
        self.name: Final = name
        self.failures = 0
        """Failures in a row to reach the database; 0 while all is well (readiness)."""

    async def run(self) -> None:
        async with asyncio.TaskGroup() as hands:
            for _ in range(self._hands):
                hands.create_task(self._work())

    async def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                worked = await self.work_one()
                self.failures = 0
            except OUTSIDE as lost:
                self.failures += 1
                worked = False
                log.warning("due_work_interrupted", reason=reason_of(lost), failures=self.failures)
            if not worked:
                await self._rest(_IDLE * (1 + min(self.failures, 10)))

    def stop(self) -> None:
        """Ask the loop to end after the item in hand."""
        self._stopping.set()
        self._found.set()

    async def _rest(self, seconds: float) -> None:
        """Look again a little later, or when the one who looks out has found something."""
        if self._stopping.is_set():
            return
        if self._lookout.locked():
            await self._found.wait()
            return
        self._found.clear()
        async with self._lookout:
            await pause(self._stopping, seconds)

    async def work_one(self) -> bool:
        """Work off the item that has been due longest; False when nothing is due."""
        if not self._kinds:
            return False
        async with self._database.work() as work:
            row = await self._claim(work)
            if row is None:
                return False
            self._found.set()
            with tracing.segment(f"due {row.kind}", links=[row.traceparent]):
                await self._attempt(work, row)
            return True

    async def _claim(self, work: Work) -> Row[Any] | None:
        claimed = await work.session.execute(CLAIM, {"kinds": list(self._kinds), "now": self._clock.now()})
        return claimed.one_or_none()

    async def _attempt(self, work: Work, row: Row[Any]) -> None:
        item = DueItem(id=row.id, subject=row.subject, slot=row.slot, due_at=row.due_at, attempts=row.attempts, payload=row.payload)
        this = (DueRow.partner_id == row.partner_id, DueRow.id == row.id)
        kind = self._kinds[row.kind]
        if not row.sandbox:
            work.note_clock(row.partner_id, None)
        if kind.outside:
            await work.session.execute(_LEAVE, {"patience": f"{kind.outside.total_seconds():.0f}s"})
        try:
            async with work.item(row.partner_id, at=row.due_at) as tx:
                await tx.session.execute(delete(DueRow).where(*this))
                await kind.handle(tx, item)
        except DBAPIError as failure:
            if failure.connection_invalidated:
                raise
            await self._later(work, row, failure)
        except Exception as failure:  # noqa: BLE001 (a delivery loop: whatever went wrong is kept with the row and tried again)
            await self._later(work, row, failure)

    async def _later(self, work: Work, row: Row[Any], failure: Exception) -> None:
        reason = str(failure) if isinstance(failure, Retry) else reason_of(failure)
        if not isinstance(failure, Retry):
            log.error("due_work_failed", kind=row.kind, subject=str(row.subject), attempts=row.attempts + 1, exc_info=failure)
        await work.session.execute(
            update(DueRow)
            .where(DueRow.partner_id == row.partner_id, DueRow.id == row.id)
            .values(retry_at=self._clock.now() + _wait(row, failure), attempts=DueRow.attempts + 1, last_error=readable(reason))
        )


def _wait(row: Row[Any], failure: Exception) -> timedelta:
    if isinstance(failure, Retry) and failure.after:
        return failure.after
    if row.sandbox and row.attempts < _KEEPS_ITS_PLACE and judge(failure) is Verdict.PASSING:
        return timedelta()
    return min(timedelta(seconds=2 ** min(row.attempts, 12)), _LONGEST)
