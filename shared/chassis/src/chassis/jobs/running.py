"""Running jobs: due work of one kind, a chunk of items at a time.

A chunk is tried whole first. When one item refuses, everything is undone and each item done again in
a savepoint of its own, so a refusal costs nobody else. Outcomes, facts, progress and the plan for the
next chunk commit together: that is what makes each item happen once, whatever kills the worker.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import Row, select, text

from chassis import due
from chassis.access.rights import AccessUnconfirmed, Rights, require_level
from chassis.database import outbox
from chassis.database.outbox import Lane
from chassis.database.transaction import Transaction
from chassis.due import Due, DueItem, Retry
from chassis.errors import Refusal
from chassis.failures import Verdict, judge, readable, reason_of
from chassis.jobs.ending import cancel, finish
from chassis.jobs.kinds import Item, JobKind
from chassis.jobs.rights import rights_now
from chassis.jobs.starting import DUE, SLOT
from chassis.jobs.tables import Job, JobItem

log = structlog.get_logger()

LONGEST_LAG: Final = 1.0
"""Seconds that the oldest unsent record may be old; above it the next chunk waits."""
LONGEST_CHUNK: Final = 1.0
"""Seconds after which a chunk is committed as far as it has come: it holds locks, and rights are read once for each."""
_BREATH: Final = timedelta(milliseconds=250)
_UNKNOWN: Final = timedelta(seconds=10)

_OUTCOMES: Final = text("""
update job_items i set status = o.status, code = o.code, detail = o.detail, remedy = o.remedy, rule = o.rule
  from unnest(cast(:number as bigint[]), cast(:status as text[]), cast(:code as text[]), cast(:detail as text[]),
              cast(:remedy as text[]), cast(:rule as text[])) as o(number, status, code, detail, remedy, rule)
 where i.partner_id = :partner_id and i.job_id = :job_id and i.number = o.number
""")


class _Undone(Exception):
    """A dry run takes an item back."""


@dataclass(slots=True)
class _Chunk:
    """What became of some items: ``refused`` by number, ``stopped`` by what let the rest wait or ended it all."""

    done: list[int] = field(default_factory=list)
    refused: dict[int, Refusal | None] = field(default_factory=dict)
    stopped: Exception | None = None
    begun: float = field(default_factory=time.monotonic)

    @property
    def over(self) -> bool:
        """Whether it has held its locks long enough."""
        return time.monotonic() - self.begun > LONGEST_CHUNK


def due_work(kinds: Sequence[JobKind]) -> list[Due]:
    """Jobs of these kinds, as due work; none when there are none."""
    known = {kind.name: kind for kind in kinds if kind.perform is not None}

    async def carry_on(tx: Transaction, item: DueItem) -> None:
        mine = select(*Job.__table__.columns).where(Job.partner_id == tx.partner_id, Job.id == item.subject)
        job = (await tx.session.execute(mine)).one_or_none()
        if job is None or job.ended_at is not None:
            return
        if job.kind not in known:
            raise Retry(f"job kind {job.kind} is not known to this version", after=_UNKNOWN)
        async with tx.part(lane=Lane.BULK, correlation_id=job.correlation_id, operation=job.kind) as bulk:
            await _next_chunk(bulk, job, known[job.kind])

    return [Due(DUE, carry_on)] if known else []


async def _next_chunk(tx: Transaction, job: Row[Any], kind: JobKind) -> None:
    if job.cancelled_by is not None:
        await cancel(tx, await _locked(tx, job.id))
        return
    if await outbox.lag(tx.session) > LONGEST_LAG:
        await _again(tx, job.id, _BREATH)
        return
    try:
        rights = await rights_now(tx, kind, job)
    except AccessUnconfirmed:
        await _again(tx, job.id, _BREATH)
        return
    except Refusal as revoked:
        now = await _locked(tx, job.id)
        await finish(tx, now, "cancelled", code=revoked.code, reason=f"Whoever started it may do this no longer: {revoked.detail}")
        return
    items = await _waiting(tx, job, kind)
    await _settle(tx, job.id, await _carry_out(tx, job, kind, rights, items))


async def _waiting(tx: Transaction, job: Row[Any], kind: JobKind) -> list[Item]:
    rows = (
        select(JobItem.number, JobItem.item_id)
        .where(JobItem.partner_id == tx.partner_id, JobItem.job_id == job.id, JobItem.number > job.succeeded + job.failed)
        .order_by(JobItem.number)
        .limit(kind.chunk)
    )
    return [Item(job_id=job.id, number=number, id=item_id, params=job.params) for number, item_id in await tx.session.execute(rows)]


async def _carry_out(tx: Transaction, job: Row[Any], kind: JobKind, rights: Rights, items: Sequence[Item]) -> _Chunk:
    if not job.dry_run:
        try:
            return await _together(tx, kind, rights, items)
        except Exception as failure:
            if judge(failure) is Verdict.PASSING:
                raise
    return await _singly(tx, kind, rights, items, dry_run=job.dry_run)


async def _together(tx: Transaction, kind: JobKind, rights: Rights, items: Sequence[Item]) -> _Chunk:
    chunk = _Chunk()
    async with tx.part(principal=rights.principal) as part:
        for item in items:
            await _perform(part, kind, rights, item)
            chunk.done.append(item.number)
            if chunk.over:
                break
    return chunk


async def _singly(tx: Transaction, kind: JobKind, rights: Rights, items: Sequence[Item], *, dry_run: bool) -> _Chunk:
    chunk = _Chunk()
    for item in items:
        try:
            await (_rehearse if dry_run else _do)(tx, kind, rights, item)
            chunk.done.append(item.number)
        except Refusal as refusal:
            chunk.refused[item.number] = refusal
        except Exception as failure:
            if not isinstance(failure, Retry) and judge(failure) is Verdict.PASSING:
                raise
            chunk.stopped = failure
            break
        if chunk.over:
            break
    return chunk


async def _do(tx: Transaction, kind: JobKind, rights: Rights, item: Item) -> None:
    async with tx.part(principal=rights.principal) as part:
        await _perform(part, kind, rights, item)


async def _rehearse(tx: Transaction, kind: JobKind, rights: Rights, item: Item) -> None:
    """Do an item and take it back."""
    with suppress(_Undone):
        async with tx.part(principal=rights.principal) as part:
            await _perform(part, kind, rights, item)
            await part.session.flush()
            raise _Undone


async def _perform(tx: Transaction, kind: JobKind, rights: Rights, item: Item) -> None:
    if kind.customers:
        await require_level((await tx.driver()).fetchrow, rights, item.id, write=True)
    if kind.perform is None:
        raise LookupError(f"nobody performs {kind.name}")
    await kind.perform(tx, item)


async def _settle(tx: Transaction, job_id: UUID, chunk: _Chunk) -> None:
    """Write down what became of the items, and how the job goes on."""
    await _write_outcomes(tx, job_id, chunk)
    job = await _locked(tx, job_id)
    job.succeeded += len(chunk.done)
    job.failed += len(chunk.refused)
    job.status = "running"
    job.started_at = job.started_at or tx.real_now
    job.version += 1
    left = job.total - job.succeeded - job.failed
    if chunk.stopped is not None and not isinstance(chunk.stopped, Retry):
        await _fail(tx, job, chunk.stopped)
    elif left and job.cancelled_by is not None:
        await cancel(tx, job)
    elif left:
        await _again(tx, job_id, chunk.stopped.after or _BREATH if isinstance(chunk.stopped, Retry) else timedelta())
    else:
        await finish(tx, job, "done")


async def _write_outcomes(tx: Transaction, job_id: UUID, chunk: _Chunk) -> None:
    outcomes = sorted((chunk.refused | dict.fromkeys(chunk.done)).items())
    columns = {
        "number": [number for number, _ in outcomes],
        "status": ["failed" if refusal else "done" for _, refusal in outcomes],
        **{name: [getattr(refusal, name, None) for _, refusal in outcomes] for name in ("code", "detail", "remedy", "rule")},
    }
    await tx.session.execute(_OUTCOMES, {"partner_id": tx.partner_id, "job_id": job_id, **columns})


async def _fail(tx: Transaction, job: Job, defect: Exception) -> None:
    number = job.succeeded + job.failed + 1
    log.error("job_failed", job_id=str(job.id), kind=job.kind, item=number, exc_info=defect)
    said = f"Something went wrong on our side with item {number}; those before it stay done."
    await finish(tx, job, "failed", code="defect", reason=said, defect=readable(reason_of(defect)))


async def _again(tx: Transaction, job_id: UUID, wait: timedelta) -> None:
    await due.plan(tx, DUE, job_id, slot=SLOT, at=tx.now if tx.sandbox else tx.real_now, wait=wait)


async def _locked(tx: Transaction, job_id: UUID) -> Job:
    """The job's row as it is by now: somebody may have cancelled it."""
    mine = select(Job).where(Job.partner_id == tx.partner_id, Job.id == job_id)
    return (await tx.session.scalars(mine.with_for_update(), execution_options={"populate_existing": True})).one()
