"""The end of a job: its status, why, the fact that tells it; and when it is forgotten."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import CursorResult, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.transaction import Transaction
from chassis.jobs.tables import Job, JobItem
from contracts.any.jobs import ItemRefused, JobEnd, JobFinished

KEPT: Final = timedelta(days=30)
_NAMED: Final = 1_000


async def finish(
    tx: Transaction, job: Job, status: JobEnd, *, code: str | None = None, reason: str | None = None, defect: str | None = None
) -> None:
    """End a job and tell it. The job's row is locked by this transaction, or about to be."""
    job.status = status
    job.reason_code, job.reason, job.defect = code, reason, defect
    job.ended_at = tx.real_now
    job.version += 1
    await tx.session.flush()
    finished = JobFinished(
        kind=job.kind,
        status=status,
        reason=code,
        dry_run=job.dry_run,
        started_by=job.started_by,
        total=job.total,
        succeeded=job.succeeded,
        failed=job.failed,
        refused=await _refused(tx, job) if job.failed else [],
    )
    tx.tell(finished, about=tx.entity("job", job.id, version=job.version))


async def cancel(tx: Transaction, job: Job) -> None:
    """End a job that a user has cancelled."""
    await finish(tx, job, "cancelled", code="cancelled", reason="A user has cancelled it.")


async def forget_jobs(session: AsyncSession, now: datetime) -> int:
    """Delete jobs that ended long ago, with what is known of their items."""
    old = delete(Job).where(Job.ended_at < now - KEPT)
    gone = await session.execute(old, execution_options={"across_partners": "a job is forgotten by its age, whosever it was"})
    return gone.rowcount if isinstance(gone, CursorResult) else 0


async def _refused(tx: Transaction, job: Job) -> list[ItemRefused]:
    failed = (
        select(JobItem.item_id, JobItem.code)
        .where(JobItem.partner_id == tx.partner_id, JobItem.job_id == job.id, JobItem.status == "failed")
        .order_by(JobItem.number)
        .limit(_NAMED)
    )
    return [ItemRefused(item=item_id, code=code or "") for item_id, code in await tx.session.execute(failed)]
