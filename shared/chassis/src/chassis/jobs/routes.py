"""Jobs over HTTP: watched, their items listed, cancelled. One router per service that has kinds of jobs."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from chassis.http.calls import Call, allow
from chassis.http.lists import Listing, ListQuery
from chassis.jobs import shown, starting
from chassis.jobs.kinds import JobKind
from chassis.jobs.shown import ItemStatus, ItemView, JobView

STAFF = frozenset({"partner", "service", "operator"})


class ItemQuery(ListQuery):
    """``status=failed`` lists what was refused, each with its problem."""

    status: ItemStatus | None = None


def routers(service: str, kinds: Sequence[JobKind]) -> list[APIRouter]:
    """The routes of a service's jobs; none when it has no kinds of them.

    Raises:
        ValueError: a kind is not named after the service, or two have one name.
    """
    kind_of = {kind.name: kind for kind in kinds}
    if len(kind_of) != len(kinds) or any(kind.service != service for kind in kinds):
        raise ValueError(f"kinds of jobs of {service} have names of their own that begin with {service}.")
    made = APIRouter(prefix=f"/v1/jobs/{service}", tags=["jobs"])

    @made.get("/{job_id}", response_model=JobView)
    async def get(job_id: UUID, call: Annotated[Call, allow(kinds=STAFF)]) -> Response:
        async with call.read() as read:
            job = await shown.one(read, kind_of, job_id)
            return call.answer(job, version=job.version)

    @made.get("/{job_id}/items", response_model=Listing[ItemView])
    async def items(job_id: UUID, query: Annotated[ItemQuery, Query()], call: Annotated[Call, allow(kinds=STAFF)]) -> Response:
        async with call.read() as read:
            return call.answer(await shown.items(read, kind_of, job_id, query.wanted, status=query.status))

    @made.post("/{job_id}/cancel", response_model=JobView)
    async def cancel(job_id: UUID, call: Annotated[Call, allow(kinds=STAFF)]) -> Response:
        """End a job before its next items. It asks for no If-Match: a running job changes all the time."""
        async with call.read() as read:
            whose = await shown.tenant(read, kind_of, job_id)
        everybodys = call.principal.kind == "operator" and call.principal.acting_as is None
        async with call.change(tenant=whose if everybodys else None) as tx:
            job = await starting.cancel(tx, job_id)
            return call.answer(shown.shown(job), version=job.version)

    return [made] if kinds else []
