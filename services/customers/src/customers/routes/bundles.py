"""Bundles over HTTP: a customer with its history, to be taken elsewhere (BEY-15)."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from chassis.access.permissions import Permission
from chassis.http.calls import Call, allow
from customers.bundles import exporting

router: Final = APIRouter(prefix="/v1/customers/{customer_id}/bundle", tags=["bundles"])


class Archive(Response):
    """A zip archive."""

    media_type = "application/zip"


@router.get("", status_code=200, response_class=Archive)
async def export(customer_id: UUID, call: Annotated[Call, allow(Permission.CUSTOMERS_REMOVE)]) -> Response:
    """The customer and what is kept of it, as a signed archive of JSON Lines (BEY-15).

    It has no passwords nor secrets, and of consents those that you are shown. What other services keep of the customer is not in it.
    """
    async with call.change(customer=customer_id, keyed=False) as tx:
        archive = await exporting.export(tx, customer_id, call.tools.issuer.key)
    said = {"content-disposition": f'attachment; filename="customer-{customer_id}.zip"', "cache-control": "no-store"}
    return Archive(archive, headers=said)
