"""What licensing answers about one customer."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Response

from chassis.http.calls import Call, allow
from chassis.http.lists import Asked, Listing
from chassis.http.moments import AsOfQuery
from licensing import entitlements, provisioning
from licensing.entitlements import EntitlementView
from licensing.provisioning import ProvisioningView

router: Final = APIRouter(prefix="/v1/customers/{customer_id}", tags=["entitlements"])

_READERS: Final = frozenset({"partner", "service", "operator", "customer"})
_SELLERS: Final = frozenset({"partner", "service", "operator"})


@router.get("/entitlements", response_model=Listing[EntitlementView])
async def list_entitlements(
    customer_id: UUID, query: Annotated[AsOfQuery, Query()], call: Annotated[Call, allow(kinds=_READERS)]
) -> Response:
    """Serial number, licence type, used and capacity, time remaining, and what may be done about it.

    `as_of` answers what was answered then (BEY-12).
    """
    async with call.read(customer=customer_id) as read:
        return call.answer(await entitlements.of_customer(read, customer_id, query.as_of))


@router.get("/provisioning", response_model=Listing[ProvisioningView])
async def list_provisioning(customer_id: UUID, _: Annotated[Asked, Query()], call: Annotated[Call, allow(kinds=_SELLERS)]) -> Response:
    """What became of each product asked for at creation; an item that is not here yet is not decided yet."""
    async with call.read(customer=customer_id) as read:
        return call.answer(await provisioning.of_customer(read, customer_id))
