"""Jobs as they are shown: to whoever started them, and to others who might have.

Others see no item of a customer that their roles hide (CUS-85). What is not shown does not exist.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import bindparam, select
from starlette.responses import Response

from chassis.access.rights import NotAllowed, Rights
from chassis.database import Read, Reading
from chassis.http.calls import Call
from chassis.http.lists import Listing, Paged, Sorts, Wanted
from chassis.http.views import View
from chassis.jobs.kinds import JobKind, JobNotFound
from chassis.jobs.tables import Job, JobItem

type JobStatus = Literal["queued", "running", "done", "failed", "cancelled"]
type ItemStatus = Literal["waiting", "done", "failed"]
type Kinds = Mapping[str, JobKind]


class Reason(View, frozen=True):
    """Why a job has ended before its last item."""

    code: str
    detail: str


class ItemProblem(View, frozen=True):
    """Why an item was refused, in the words of a problem."""

    code: str
    detail: str
    remedy: str
    rule: str | None


class JobView(View, frozen=True):
    """A job. `done` is how many of its items are behind it, `succeeded` and `failed` what became of them."""

    id: UUID
    version: int
    kind: str
    status: JobStatus
    dry_run: bool
    total: int
    done: int
    succeeded: int
    failed: int
    reason: Reason | None
    started_by: UUID
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class ItemView(View, frozen=True):
    """One item: `id` is what it is about."""

    number: int
    id: UUID
    status: ItemStatus
    problem: ItemProblem | None


_SORTS: Final = Sorts({"number": ("number", int)}, default="number", last=("number", int))
_ONE: Final = Reading(Job, lambda r, _shape: select(r).where(r.c.id == bindparam("id")))
_WHOSE: Final = Reading(Job, lambda r, _shape: select(r.c.partner_id).where(r.c.id == bindparam("id")))


def _items(relation: Any, given: frozenset[str]) -> Any:
    statement = select(relation)
    for name in sorted(given):
        statement = statement.where(relation.c[name] == bindparam(name))
    return statement


_ALL: Final = Paged(JobItem, ItemView, _SORTS, build=_items)
_SEEN: Final = Paged(JobItem, ItemView, _SORTS, build=_items, customer="item_id")


async def one(read: Read, kinds: Kinds, job_id: UUID) -> JobView:
    """One job that the reader has started or might have.

    Raises:
        JobNotFound: there is none that the reader may see.
    """
    row = await read.row(_ONE, id=job_id)
    if row is None or not _shows(read, kinds.get(row["kind"]), row["started_by"]):
        raise JobNotFound
    return _job(row)


async def tenant(read: Read, kinds: Kinds, job_id: UUID) -> UUID:
    """Whose job it is that the reader sees: an operator cancels it as that partner.

    Raises:
        JobNotFound: there is none that the reader may see.
    """
    await one(read, kinds, job_id)
    row = await read.row(_WHOSE, id=job_id)
    if row is None:
        raise JobNotFound
    partner_id: UUID = row["partner_id"]
    return partner_id


async def items(read: Read, kinds: Kinds, job_id: UUID, wanted: Wanted, *, status: str | None) -> Listing[ItemView]:
    """What became of the items of a job, in their order.

    Raises:
        JobNotFound: there is none that the reader may see.
    """
    job = await one(read, kinds, job_id)
    kind = kinds.get(job.kind)
    whole = job.started_by == read.principal.user_id or (kind is not None and not kind.customers)
    return await (_ALL if whole else _SEEN).page(read, wanted, view=_item, job_id=job_id, status=status)


def shown(job: Job) -> JobView:
    """A job that was just changed, as ``one`` answers it."""
    return _job({column.name: getattr(job, column.name) for column in Job.__table__.columns})


def accepted(call: Call, job: Job) -> Response:
    """202: the job that a request has started, with where it is to be watched."""
    location = f"/v1/jobs/{job.kind.partition('.')[0]}/{job.id}"
    return call.answer(shown(job), status=202, location=location, version=job.version)


def _job(row: Any) -> JobView:
    reason = Reason(code=row["reason_code"], detail=row["reason"]) if row["reason_code"] else None
    return JobView.of(row, done=row["succeeded"] + row["failed"], reason=reason)


def _item(row: Any) -> ItemView:
    problem = ItemProblem.of(row) if row["code"] else None
    return ItemView.of(row, id=row["item_id"], problem=problem)


def _shows(read: Read, kind: JobKind | None, started_by: UUID) -> bool:
    if started_by == read.principal.user_id or read.principal.kind == "operator":
        return True
    if kind is None or kind.permission is None or not isinstance(read.rights, Rights):
        return False
    try:
        read.rights.require(kind.permission)
    except NotAllowed:
        return False
    return True
