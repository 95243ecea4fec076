"""Off-boarding over HTTP: a customer is disabled and enabled again."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from chassis.access.permissions import Permission
from chassis.http.calls import Call, allow
from customers import customer_list
from customers.customer_list import CustomerView
from customers.offboarding import disabling
from customers.offboarding.disabling import DisableCustomer, EnableCustomer

router: Final = APIRouter(prefix="/v1/customers/{customer_id}", tags=["off-boarding"])

STAFF: Final = frozenset({"partner", "operator"})
REMOVERS: Final = allow(Permission.CUSTOMERS_REMOVE, kinds=STAFF)


@router.post("/disable", response_model=CustomerView)
async def disable(customer_id: UUID, call: Annotated[Call, REMOVERS]) -> Response:
    """Put a customer to rest: its users are signed out, and nothing new is sold to it (C-2). What it has bought goes on."""
    async with call.change(customer=customer_id) as tx:
        customer = await disabling.disable(tx, DisableCustomer(customer_id=customer_id, seen=call.seen))
        return call.answer(customer_list.shown(customer), version=customer.version)


@router.post("/enable", response_model=CustomerView)
async def enable(customer_id: UUID, call: Annotated[Call, REMOVERS]) -> Response:
    """Serve a disabled customer again, at any time."""
    async with call.change(customer=customer_id) as tx:
        customer = await disabling.enable(tx, EnableCustomer(customer_id=customer_id, seen=call.seen))
        return call.answer(customer_list.shown(customer), version=customer.version)
