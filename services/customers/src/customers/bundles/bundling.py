"""Bundling: many customers, or all of a partner's, as one job with one file (BEY-15).

The job makes each customer's bundle alone, so memory holds one at a time. A service that does not say its part makes
the job wait before that customer. The file is put together while it is fetched, from bundles that are kept for seven days.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from joserfc.jwk import OKPKey
from sqlalchemy import CursorResult, bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis import jobs
from chassis.access.permissions import Permission
from chassis.bundles import gathered
from chassis.database import Read, Reading, Transaction
from chassis.database.reading import Sink
from chassis.due import Retry
from chassis.http.exports import LONGEST
from chassis.jobs import Item, JobKind, shown
from chassis.jobs.kinds import JobNotFound
from chassis.jobs.tables import Job
from customers.bundles import exporting
from customers.errors.bundles import BundlesGone, BundlesNotReady, PartMissing
from customers.rules.bundle_parts import Parts
from customers.rules.selecting import Filters, seen_by
from customers.tables.bundles import BundlePiece

NAME: Final = "customers.bundle"
_PERMISSION: Final = Permission.CUSTOMERS_REMOVE
_KEPT: Final = timedelta(days=7)
_AGAIN: Final = timedelta(seconds=5)
_ALL: Final = Filters(status=sorted(exporting.PORTABLE))
_WATCHED: Final = JobKind(name=NAME, permission=_PERMISSION, customers=True)
"""The kind as those know it who start it and fetch its file."""

_HASHES: Final = Reading(
    BundlePiece,
    lambda r, _shape: select(r.c.customer_id, r.c.sha256).where(r.c.job_id == bindparam("job_id")).order_by(r.c.customer_id),
)
_ONE: Final = Reading(
    BundlePiece,
    lambda r, _shape: select(r.c.content).where(r.c.job_id == bindparam("job_id"), r.c.customer_id == bindparam("customer_id")),
)


def kind(key: OKPKey, parts: Parts) -> JobKind:
    """The job that makes bundles, signed with this key."""

    async def bundle(tx: Transaction, item: Item) -> None:
        try:
            made = await exporting.export(tx, item.id, key, parts)
        except PartMissing as missing:
            raise Retry(missing.detail, after=_AGAIN) from missing
        piece = {"sha256": hashlib.sha256(made).hexdigest(), "content": made, "made_at": tx.real_now}
        mine = {"partner_id": tx.partner_id, "job_id": item.job_id, "customer_id": item.id}
        await tx.session.execute(insert(BundlePiece).values(**mine, **piece).on_conflict_do_nothing())

    return JobKind(name=NAME, perform=bundle, permission=_PERMISSION, customers=True, chunk=10)


async def start(tx: Transaction, ids: Sequence[UUID] | None) -> Job:
    """Begin to bundle these customers, or all that the caller sees and that can be taken elsewhere.

    Raises:
        TooManyItems: one job does not take so many.
    """
    return await jobs.start(tx, _WATCHED, seen_by(tx, _ALL) if ids is None else ids)


async def ready(read: Read, job_id: UUID) -> dict[UUID, str]:
    """The hashes of a job's bundles, for whoever started it.

    Raises:
        JobNotFound: there is none that the reader has started.
        BundlesNotReady: it is not done.
        BundlesGone: nothing is kept of it.
    """
    job = await shown.one(read, {NAME: _WATCHED}, job_id)
    if job.kind != NAME or read.principal.user_id != job.started_by:
        raise JobNotFound
    if job.status != "done":
        raise BundlesNotReady(status=job.status)
    hashes = {row["customer_id"]: row["sha256"] for row in await read.rows(_HASHES, job_id=job_id)}
    if not hashes:
        raise BundlesGone
    return hashes


async def write(read: Read, sink: Sink, *, job_id: UUID, key: OKPKey) -> None:
    """Give a job's file to ``sink``, piece by piece; one that is gone meanwhile breaks it off.

    Raises:
        Refusal: there is no such file.
        TimeoutError: it takes too long.
    """
    hashes = await ready(read, job_id)

    async def bundles() -> AsyncIterator[tuple[UUID, bytes]]:
        for customer_id in hashes:
            row = await read.row(_ONE, job_id=job_id, customer_id=customer_id)
            if row is None:
                raise BundlesGone
            yield customer_id, row["content"]

    async with asyncio.timeout(LONGEST):
        async for piece in gathered.collected(read.partner_id, hashes, bundles(), key):
            await sink(piece)


async def forget(session: AsyncSession, now: datetime) -> int:
    """Delete bundles whose week is over."""
    old = delete(BundlePiece).where(BundlePiece.made_at < now - _KEPT)
    gone = await session.execute(old, execution_options={"across_partners": "a bundle is forgotten by its age, whosever it is"})
    return gone.rowcount if isinstance(gone, CursorResult) else 0
