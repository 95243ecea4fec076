"""Starting jobs, and cancelling them, each in the transaction of whoever asks."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import CursorResult, Select, func, insert, literal, select, text

from chassis import due
from chassis.database.transaction import Transaction
from chassis.jobs import ending
from chassis.jobs.kinds import JobEnded, JobKind, JobNotFound, TooManyItems
from chassis.jobs.tables import Job, JobItem

DUE: Final = "job"
SLOT: Final = "run"

_ADD: Final = text("""
insert into job_items (partner_id, job_id, number, item_id, status)
select :partner_id, :job_id, chosen.number, chosen.id, 'waiting'
  from unnest(cast(:ids as uuid[])) with ordinality chosen(id, number)
""")

_DIGEST: Final = text("""
select encode(sha256(coalesce(string_agg(uuid_send(item_id), '' order by item_id), '')), 'hex')
  from job_items where partner_id = :partner_id and job_id = :job_id
""")

type Items = Sequence[UUID] | Select[tuple[UUID]]
"""Ids that somebody gave, done in this order and each once, or a statement that selects them."""


async def start(tx: Transaction, kind: JobKind, items: Items, *, params: dict[str, Any] | None = None, dry_run: bool = False) -> Job:
    """Start a job over some items in the name of ``tx.principal``; workers carry it out when this has committed.

    A statement must have its own condition on the partner and an order; its rows never leave the
    database. ``dry_run`` does every item and undoes it: the outcomes say what would happen.

    Raises:
        TooManyItems: one job of this kind does not take so many.
        ValueError: nobody asks, so there is nobody in whose name it could run.
    """
    job = await open_job(tx, kind, params=params, dry_run=dry_run)
    job.total = await _put(tx, job.id, items, most=kind.most)
    await due.plan(tx, DUE, job.id, slot=SLOT, at=tx.now)
    return job


async def digest(tx: Transaction, job: Job) -> str:
    """Names what a job is over, in whatever order: 64 hexadecimal digits that any other set of items has not."""
    return str(await tx.session.scalar(_DIGEST, {"partner_id": tx.partner_id, "job_id": job.id}))


async def open_job(tx: Transaction, kind: JobKind, *, params: dict[str, Any] | None = None, dry_run: bool = False) -> Job:
    """Open a job in the name of ``tx.principal`` that has no items yet, and that nobody works off.

    What carries it on says how far it is in its row, looks whether it was cancelled, and ends it
    (``ending.finish``).

    Raises:
        ValueError: nobody asks, so there is nobody in whose name it could run.
    """
    if tx.principal is None:
        raise ValueError(f"job {kind.name} is started by nobody")
    job = Job(
        partner_id=tx.partner_id,
        id=tx.new_id(),
        version=1,
        kind=kind.name,
        status="queued",
        params=params or {},
        dry_run=dry_run,
        total=0,
        succeeded=0,
        failed=0,
        started_by=tx.principal.user_id,
        user_kind=tx.principal.kind,
        user_partner_id=tx.principal.partner_id,
        user_gen=tx.principal.gen,
        correlation_id=tx.correlation_id,
        created_at=tx.real_now,
    )
    tx.session.add(job)
    await tx.session.flush()
    return job


async def cancel(tx: Transaction, job_id: UUID) -> Job:
    """End a job before its next items. Those in hand at this moment are committed first; what was done stays done.

    Raises:
        JobEnded: it has ended already.
    """
    mine = (Job.partner_id == tx.partner_id, Job.id == job_id)
    by = tx.caller
    job = (await tx.session.scalars(select(Job).where(*mine).with_for_update())).one_or_none()
    if job is None:
        raise JobNotFound
    if job.ended_at is not None:
        raise JobEnded(status=job.status)
    job.cancelled_by = by
    job.version += 1
    await tx.session.flush()
    if await due.withdraw(tx, DUE, job_id):
        await ending.cancel(tx, job)
    return job


async def _put(tx: Transaction, job_id: UUID, items: Items, *, most: int) -> int:
    """Write the items of a job, one more than it may have at most: how many there are."""
    if isinstance(items, Select):
        total = await _select(tx, job_id, items, most + 1)
    else:
        ids = list(dict.fromkeys(items))[: most + 1]
        await tx.session.execute(_ADD, {"partner_id": tx.partner_id, "job_id": job_id, "ids": ids})
        total = len(ids)
    if total > most:
        raise TooManyItems(f"{most} is the most.", most=most)
    return total


async def _select(tx: Transaction, job_id: UUID, items: Select[tuple[UUID]], most: int) -> int:
    chosen = items.subquery()
    number = func.row_number().over()
    rows = select(literal(tx.partner_id), literal(job_id), number, chosen.c[0], literal("waiting")).limit(most)
    put = await tx.session.execute(insert(JobItem).from_select(["partner_id", "job_id", "number", "item_id", "status"], rows))
    return put.rowcount if isinstance(put, CursorResult) else 0
