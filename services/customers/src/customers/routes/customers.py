"""Customers over HTTP: created, listed, shown, closed to those above."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from chassis.access.permissions import Permission
from chassis.http.calls import Call, allow
from chassis.http.lists import Listing
from customers import closing, customer_list, customers, details, first_admins, tagging
from customers.closing import CloseCustomer
from customers.customer_list import CustomerListView, CustomerView
from customers.first_admins import ReplaceAddress
from customers.routes.bodies import ChangedCustomer, LastingAddress, NewCustomer, NewTags
from customers.routes.filters import CustomersQuery
from customers.rules.actions import EDIT, REPLACE_FIRST_ADDRESS, SHUT_OUT, STAFF, TAG, VIEW
from customers.tagging import TagCustomer

router = APIRouter(prefix="/v1/customers", tags=["customers"])


@router.post("", status_code=201, response_model=CustomerView)
async def create(body: NewCustomer, call: Annotated[Call, allow(Permission.CUSTOMERS_ADD)]) -> Response:
    async with call.change() as tx:
        customer = await customers.create(tx, body.command())
        return call.created(customer_list.shown(customer), location=f"/v1/customers/{customer.id}", version=customer.version)


@router.get("", response_model=Listing[CustomerListView])
async def list_customers(query: Annotated[CustomersQuery, Query()], call: Annotated[Call, allow(kinds=STAFF)]) -> Response:
    async with call.read() as read:
        return call.answer(await customer_list.page(read, query.wanted, query.filters))


@router.get("/{customer_id}", response_model=CustomerView)
async def get(customer_id: UUID, call: Annotated[Call, allow(kinds=VIEW.kinds)]) -> Response:
    async with call.read() as read:
        customer = await customer_list.one(read, customer_id)
        return call.answer(customer, version=customer.version)


@router.patch("/{customer_id}", response_model=CustomerView)
async def change(customer_id: UUID, body: ChangedCustomer, call: Annotated[Call, allow(kinds=EDIT.kinds)]) -> Response:
    """Change a customer's details (CUS-39), as far as `GET /v1/customers/{customer_id}/fields` opens them to the caller.

    A name that is like a denied party's holds the customer in review.
    """
    async with call.change(customer=customer_id) as tx:
        command = body.command(customer_id, call.seen)
        customer = await details.change(tx, command)
        return call.answer(customer_list.shown(customer, to=call.principal.kind), version=customer.version)


@router.post("/{customer_id}/first-admin", response_model=CustomerView)
async def replace_first_address(
    customer_id: UUID,
    body: LastingAddress,
    call: Annotated[Call, allow(REPLACE_FIRST_ADDRESS.permission, kinds=REPLACE_FIRST_ADDRESS.kinds)],
) -> Response:
    """Replace a temporary first address by one on the customer's domain (CUS-24).

    Links mailed to the old address stop working; `POST /v1/users/{user_id}/link` mails one to the new address.
    """
    async with call.change(customer=customer_id) as tx:
        command = ReplaceAddress(customer_id=customer_id, seen=call.seen, email=body.email)
        customer = await first_admins.replace_address(tx, command)
        return call.answer(customer_list.shown(customer), version=customer.version)


@router.post("/{customer_id}/shut-out", response_model=CustomerView)
async def shut_out(customer_id: UUID, call: Annotated[Call, allow(kinds=SHUT_OUT.kinds)]) -> Response:
    """Close one's own company to its partner and those above (MKT-05): nobody of them gets in. The operator may disable it."""
    async with call.change(customer=customer_id, stand_in=True) as tx:
        customer = await closing.close(tx, CloseCustomer(customer_id=customer_id, seen=call.seen, closed=True))
        return call.answer(customer_list.shown(customer, to=call.principal.kind), version=customer.version)


@router.post("/{customer_id}/let-in", response_model=CustomerView)
async def let_in(customer_id: UUID, call: Annotated[Call, allow(kinds=SHUT_OUT.kinds)]) -> Response:
    """Open one's own company to its partner and those above again (MKT-05)."""
    async with call.change(customer=customer_id, stand_in=True) as tx:
        customer = await closing.close(tx, CloseCustomer(customer_id=customer_id, seen=call.seen, closed=False))
        return call.answer(customer_list.shown(customer, to=call.principal.kind), version=customer.version)


@router.put("/{customer_id}/tags", response_model=CustomerView)
async def tag(customer_id: UUID, body: NewTags, call: Annotated[Call, allow(kinds=TAG.kinds)]) -> Response:
    """Mark a customer by these tags and no others (MKT-01)."""
    async with call.change(customer=customer_id) as tx:
        customer = await tagging.tag(tx, TagCustomer(customer_id=customer_id, seen=call.seen, tags=body.tags))
        return call.answer(customer_list.shown(customer), version=customer.version)
