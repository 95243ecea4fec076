"""Drafts over HTTP: kept, changed step by step, looked at early, and sent."""

from dataclasses import replace
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from chassis.access.permissions import Permission
from chassis.http.calls import Call, allow
from chassis.http.lists import Listing, ListQuery
from chassis.http.merging import merged
from contracts.records import JsonObject
from customers import customer_list, customers, drafts
from customers.customer_list import CustomerView
from customers.drafts import CheckView, DraftListView, DraftView
from customers.errors.drafts import DraftNotWhole
from customers.routes.bodies import NewCustomer
from customers.routes.sketches import filled

router: Final = APIRouter(prefix="/v1", tags=["drafts"])

ADDERS: Final = allow(Permission.CUSTOMERS_ADD)


@router.post("/customer-checks", response_model=CheckView)
async def check(body: JsonObject, call: Annotated[Call, ADDERS]) -> Response:
    """Say early what would refuse a creation: any part of the body of POST /v1/customers, as for a form that asks while it is filled in.

    Of an address that is taken it is not said whose it is (CUS-11).
    """
    async with call.change(keyed=False) as tx:
        return call.answer(await drafts.check(tx, filled(body)))


@router.post("/customer-drafts", status_code=201, response_model=DraftView)
async def keep(body: JsonObject, call: Annotated[Call, ADDERS]) -> Response:
    """Keep what is filled in so far of the body of POST /v1/customers; a draft that nobody changes is forgotten after 30 days."""
    async with call.change() as tx:
        draft = await drafts.keep(tx, filled(body))
        return call.created(DraftView.of_entity(draft), location=f"/v1/customer-drafts/{draft.id}", version=draft.version)


@router.get("/customer-drafts", response_model=Listing[DraftListView])
async def list_drafts(query: Annotated[ListQuery, Query()], call: Annotated[Call, ADDERS]) -> Response:
    """The partner's drafts, whoever began them. Sorts: updated_at."""
    async with call.read() as read:
        return call.answer(await drafts.page(read, query.wanted))


@router.get("/customer-drafts/{draft_id}", response_model=DraftView)
async def get(draft_id: UUID, call: Annotated[Call, ADDERS]) -> Response:
    async with call.read() as read:
        draft = await drafts.one(read, draft_id)
        return call.answer(draft, version=draft.version)


@router.patch("/customer-drafts/{draft_id}", response_model=DraftView)
async def change(draft_id: UUID, body: JsonObject, call: Annotated[Call, ADDERS]) -> Response:
    """Change what the body names, as a merge patch (RFC 7396): `null` takes a member out, a list is replaced whole."""
    async with call.change() as tx:
        draft = await drafts.hold(tx, draft_id, call.seen)
        await drafts.change(tx, draft, filled(merged(draft.body, body)))
        return call.answer(DraftView.of_entity(draft), version=draft.version)


@router.delete("/customer-drafts/{draft_id}", status_code=204)
async def discard(draft_id: UUID, call: Annotated[Call, ADDERS]) -> Response:
    async with call.change() as tx:
        await drafts.discard(tx, await drafts.hold(tx, draft_id, call.seen))
        return call.answer(b"", status=204)


@router.post("/customer-drafts/{draft_id}/submit", status_code=201, response_model=CustomerView)
async def submit(draft_id: UUID, call: Annotated[Call, ADDERS]) -> Response:
    """Create the customer, exactly as POST /v1/customers does with this body; sent again, it answers the same customer."""
    async with call.change() as tx:
        draft = await drafts.hold(tx, draft_id, call.seen)
        if draft.customer_id is None:
            command = replace(_whole(draft.body).command(), accepted_by=draft.eula_by, accepted_at=draft.eula_at)
            customer = await customers.create(tx, command)
            await drafts.close(tx, draft, customer.id)
        else:
            customer = await customers.one(tx, draft.customer_id)
        return call.created(customer_list.shown(customer), location=f"/v1/customers/{customer.id}", version=customer.version)


def _whole(body: dict[str, Any]) -> NewCustomer:
    """The body of a draft, when it is whole.

    Raises:
        DraftNotWhole: its shape is wrong, or something is missing.
    """
    errors = filled(body).errors
    if errors:
        raise DraftNotWhole(errors=errors)
    return NewCustomer.model_validate(body)
