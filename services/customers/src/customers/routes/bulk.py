"""Bulk actions over HTTP: each begins a job, which is watched at `/v1/jobs/customers/{job_id}` (CUS-68, BEY-13)."""

from typing import Annotated, Any, Final

from annotated_types import Len
from fastapi import APIRouter
from starlette.responses import Response

from chassis.http.bodies import Body
from chassis.http.calls import Call, allow
from chassis.http.text import Text
from chassis.jobs import JobKind, JobView, accepted
from chassis.jobs.bodies import Bulk, Count, Selected
from contracts.customers.customers import CommunicationsMode
from customers.bulk import deeds, starting
from customers.bulk.starting import Shown, StartBulk
from customers.routes.filters import CustomerFilters
from customers.rules import actions

router: Final = APIRouter(prefix="/v1/customer-bulk", tags=["bulk"])

REMOVERS: Final = allow(actions.DELETE.permission, kinds=actions.STAFF)


class Filtered(Body):
    """All customers that `filter` leaves and the caller sees; `expected` is how many it was shown."""

    filter: CustomerFilters
    expected: Count

    @property
    def meant(self) -> Shown:
        return Shown(filters=self.filter.filters, expected=self.expected)


class CustomerBulk(Bulk):
    """What is done with customers that somebody selected, or with all that filters leave."""

    selection: Selected | Filtered

    def command(self, kind: JobKind, **params: Any) -> StartBulk:
        return StartBulk(
            kind=kind,
            selection=self.selection.meant,
            params=params,
            dry_run=self.dry_run,
            customers=self.customers,
            confirmation=self.confirmation,
        )


class BulkTags(CustomerBulk):
    tags: Annotated[list[Annotated[str, Text(50)]], Len(1, 50)]


class BulkCommunications(CustomerBulk):
    communications_mode: CommunicationsMode


@router.post("/tag", status_code=202, response_model=JobView)
async def tag(body: BulkTags, call: Annotated[Call, allow(kinds=actions.TAG.kinds)]) -> Response:
    """Add tags to customers (MKT-01)."""
    return await _begin(call, body.command(deeds.TAG, tags=body.tags))


@router.post("/untag", status_code=202, response_model=JobView)
async def untag(body: BulkTags, call: Annotated[Call, allow(kinds=actions.TAG.kinds)]) -> Response:
    """Take tags from customers (MKT-01)."""
    return await _begin(call, body.command(deeds.UNTAG, tags=body.tags))


@router.post("/communications", status_code=202, response_model=JobView)
async def set_communications(body: BulkCommunications, call: Annotated[Call, allow(kinds=actions.SET_COMMUNICATIONS.kinds)]) -> Response:
    """Choose who of customers is mailed (CUS-57)."""
    return await _begin(call, body.command(deeds.COMMUNICATIONS, communications_mode=body.communications_mode))


@router.post("/disable", status_code=202, response_model=JobView)
async def disable(body: CustomerBulk, call: Annotated[Call, REMOVERS]) -> Response:
    """Put customers to rest."""
    return await _begin(call, body.command(deeds.DISABLE))


@router.post("/enable", status_code=202, response_model=JobView)
async def enable(body: CustomerBulk, call: Annotated[Call, REMOVERS]) -> Response:
    """Serve disabled customers again."""
    return await _begin(call, body.command(deeds.ENABLE))


@router.post("/unlink", status_code=202, response_model=JobView)
async def unlink(body: CustomerBulk, call: Annotated[Call, REMOVERS]) -> Response:
    """Run customers no longer: they live on under the root party (CUS-60)."""
    return await _begin(call, body.command(deeds.UNLINK))


@router.post("/delete", status_code=202, response_model=JobView)
async def delete(body: CustomerBulk, call: Annotated[Call, REMOVERS]) -> Response:
    """Ask for customers' deletion; each has its own, at `/v1/customers/{customer_id}/deletion` (CUS-62)."""
    return await _begin(call, body.command(deeds.DELETE))


async def _begin(call: Call, command: StartBulk) -> Response:
    async with call.change() as tx:
        return accepted(call, await starting.start(tx, command))
