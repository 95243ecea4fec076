"""Customers over HTTP: created, listed, shown."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from chassis.access.permissions import Permission
from chassis.http.calls import Call, allow
from chassis.http.lists import DEFAULT_LIMIT, Cursor, Limit, Listing
from chassis.http.text import Text
from contracts.customers.customers import CustomerStatus, ManagementType
from customers import customer_list, customers, first_admins
from customers.customer_list import Wanted
from customers.first_admins import ReplaceAddress
from customers.routes.bodies import LastingAddress, NewCustomer
from customers.routes.views import CustomerInList, CustomerView

router = APIRouter(prefix="/v1/customers", tags=["customers"])

READERS = frozenset({"partner", "operator"})
EVERYBODY = frozenset({"partner", "operator", "customer"})


class ListQuery(BaseModel):
    """``q`` is a fragment of the name; filters left out mean all. Sorts: name, type, created_at, status.

    Customers that were rejected, deleted or purged are listed only where ``status`` asks for them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    q: Annotated[str, Text(200)] | None = None
    status: CustomerStatus | None = None
    management_type: ManagementType | None = None
    sort: Annotated[str, Text(100)] | None = None
    cursor: Cursor | None = None
    limit: Limit = DEFAULT_LIMIT


@router.post("", status_code=201, response_model=CustomerView)
async def create(body: NewCustomer, call: Annotated[Call, allow(Permission.CUSTOMERS_ADD)]) -> Response:
    async with call.change() as tx:
        customer = await customers.create(tx, body.command())
        return call.created(customer_list.shown(customer), location=f"/v1/customers/{customer.id}", version=customer.version)


@router.get("", response_model=Listing[CustomerInList])
async def list_customers(query: Annotated[ListQuery, Query()], call: Annotated[Call, allow(kinds=READERS)]) -> Response:
    async with call.read() as read:
        return call.answer(await customer_list.page(read, Wanted(**query.model_dump())))


@router.get("/{customer_id}", response_model=CustomerView)
async def get(customer_id: UUID, call: Annotated[Call, allow(kinds=EVERYBODY)]) -> Response:
    async with call.read() as read:
        customer = await customer_list.one(read, customer_id)
        return call.answer(customer, version=customer.version)


@router.post("/{customer_id}/first-admin", response_model=CustomerView)
async def replace_first_address(
    customer_id: UUID, body: LastingAddress, call: Annotated[Call, allow(Permission.CUSTOMERS_ADD)]
) -> Response:
    """Replace a temporary first address by one on the customer's domain (CUS-24).

    Links mailed to the old address stop working; `POST /v1/users/{user_id}/link` mails one to the new address.
    """
    command = ReplaceAddress(customer_id=customer_id, seen=call.seen, email=body.email)
    async with call.change(customer=customer_id) as tx:
        customer = await first_admins.replace_address(tx, command)
        return call.answer(customer_list.shown(customer), version=customer.version)
