"""What may be done with a customer, over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from chassis.http.calls import Call, allow
from customers import possibilities
from customers.possibilities import ActionsView, FieldsView
from customers.rules.actions import EVERYBODY

router = APIRouter(prefix="/v1/customers/{customer_id}", tags=["customers"])


@router.get("/actions", response_model=ActionsView)
async def list_actions(customer_id: UUID, call: Annotated[Call, allow(kinds=EVERYBODY)]) -> Response:
    """What may be done with a customer now, by the caller; where something may not, by which rule, and what to do (GW-10)."""
    async with call.read() as read:
        return call.answer(await possibilities.actions_of(read, customer_id))


@router.get("/fields", response_model=FieldsView)
async def list_fields(customer_id: UUID, call: Annotated[Call, allow(kinds=EVERYBODY)]) -> Response:
    """Which fields of a customer the caller may change with PATCH (C-6)."""
    async with call.read() as read:
        return call.answer(await possibilities.fields_of(read, customer_id))
