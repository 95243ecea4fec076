"""Screening over HTTP: operators see what is screened against, and have everybody looked at again."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from chassis.http.calls import Call, allow
from contracts.root import ROOT_PARTNER_ID
from customers.denied_parties import rescreening, shown
from customers.denied_parties.shown import BegunView, ScreeningView
from customers.rules.actions import OPERATORS

router = APIRouter(prefix="/v1/screening", tags=["reviews"])


@router.get("", response_model=ScreeningView)
async def get(call: Annotated[Call, allow(kinds=OPERATORS)]) -> Response:
    """The lists of denied parties in force, and how far the newest look at all customers has come."""
    async with call.read() as read:
        return call.answer(await shown.screening(read))


@router.post("/rescreen", status_code=202, response_model=BegunView)
async def rescreen(call: Annotated[Call, allow(kinds=OPERATORS)]) -> Response:
    """Look at every customer of every partner again; who is found is listed under GET /v1/reviews."""
    async with call.change(tenant=ROOT_PARTNER_ID if call.principal.kind == "operator" else None) as tx:
        return call.answer(BegunView(id=await rescreening.begin(tx)), status=202)
