"""Bundles over HTTP: customers with their history, to be taken elsewhere (BEY-15)."""

from functools import partial
from typing import Annotated, ClassVar, Final
from uuid import UUID

from annotated_types import Len
from fastapi import APIRouter
from starlette.responses import Response

from chassis.access.permissions import Permission
from chassis.http.bodies import Body
from chassis.http.calls import Call, allow
from chassis.http.exports import Export
from chassis.jobs import JobView, accepted
from customers.bundles import bundling, exporting
from customers.rules.actions import STAFF

router: Final = APIRouter(tags=["bundles"])
REMOVERS: Final = allow(Permission.CUSTOMERS_REMOVE, kinds=STAFF)


class Archive(Response):
    """A zip archive."""

    media_type = "application/zip"


class Gathered(Export):
    """A zip archive of bundles, streamed."""

    media_type = "application/zip"
    suffix: ClassVar[str] = "zip"


class Bundled(Body):
    """Which customers; all that the caller sees where `ids` are left out."""

    ids: Annotated[list[UUID], Len(1, 10_000)] | None = None


@router.get("/v1/customers/{customer_id}/bundle", status_code=200, response_class=Archive)
async def export(customer_id: UUID, call: Annotated[Call, allow(Permission.CUSTOMERS_REMOVE)]) -> Response:
    """The customer and what is kept of it, as a signed archive of JSON Lines (BEY-15).

    It has no passwords nor secrets, and of consents those that you are shown. What other services keep stands in folders of
    their names; while one of them does not answer there is no bundle.
    """
    async with call.change(customer=customer_id, keyed=False) as tx:
        archive = await exporting.export(tx, customer_id, call.tools.issuer.key, call.tools.parts)
    said = {"content-disposition": f'attachment; filename="customer-{customer_id}.zip"', "cache-control": "no-store"}
    return Archive(archive, headers=said)


@router.post("/v1/bundles", status_code=202, response_model=JobView)
async def start(body: Bundled, call: Annotated[Call, REMOVERS]) -> Response:
    """Bundle many customers, or all, as a job (BEY-15). When it is done its file is at `/v1/bundles/{job_id}`."""
    async with call.change() as tx:
        return accepted(call, await bundling.start(tx, body.ids))


@router.get("/v1/bundles/{job_id}", status_code=200, response_class=Gathered)
async def fetch(job_id: UUID, call: Annotated[Call, REMOVERS]) -> Response:
    """The bundles that a job has made, as one file, for whoever started it. It is kept for seven days.

    Each is a signed archive of its own, and `partner.json` names them all. An answer that ends as HTTP says is whole.
    """
    async with call.read(strict=True) as read:
        await bundling.ready(read, job_id)
    write = partial(bundling.write, job_id=job_id, key=call.tools.issuer.key)
    return Gathered(call, "customers", write, chosen={"export": "bundles", "job_id": str(job_id)})
