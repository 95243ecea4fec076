"""Reviews over HTTP: the operator lists what is held and decides."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from chassis.http.bodies import Body
from chassis.http.calls import Call, allow
from chassis.http.lists import Listing, ListQuery
from chassis.http.text import Note
from customers import customer_list, reviews
from customers.customer_list import CustomerView
from customers.reviews import ClearReview, RejectReview, ReviewView
from customers.rules.actions import CLEAR_REVIEW, OPERATORS, REJECT_REVIEW

router = APIRouter(prefix="/v1", tags=["reviews"])


class Rejection(Body):
    reason: Note


@router.get("/reviews", response_model=Listing[ReviewView])
async def list_reviews(query: Annotated[ListQuery, Query()], call: Annotated[Call, allow(kinds=OPERATORS)]) -> Response:
    async with call.read() as read:
        return call.answer(await reviews.page(read, query.wanted))


@router.post("/customers/{customer_id}/review/clear", response_model=CustomerView)
async def clear(customer_id: UUID, call: Annotated[Call, allow(kinds=CLEAR_REVIEW.kinds)]) -> Response:
    async with call.change(tenant=await _whose(call, customer_id)) as tx:
        command = ClearReview(customer_id=customer_id, seen=call.seen)
        customer = await reviews.clear(tx, command)
        return call.answer(customer_list.shown(customer), version=customer.version)


@router.post("/customers/{customer_id}/review/reject", response_model=CustomerView)
async def reject(customer_id: UUID, body: Rejection, call: Annotated[Call, allow(kinds=REJECT_REVIEW.kinds)]) -> Response:
    async with call.change(tenant=await _whose(call, customer_id)) as tx:
        command = RejectReview(customer_id=customer_id, seen=call.seen, reason=body.reason)
        customer = await reviews.reject(tx, command)
        return call.answer(customer_list.shown(customer), version=customer.version)


async def _whose(call: Call, customer_id: UUID) -> UUID:
    async with call.read() as read:
        return await reviews.partner_of(read, customer_id)
