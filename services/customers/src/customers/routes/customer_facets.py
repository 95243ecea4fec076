"""Facets of customers over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from chassis.http.calls import Call, allow
from customers import customer_facets
from customers.customer_facets import FacetsView
from customers.routes.filters import CustomerFilters
from customers.rules.actions import STAFF

router = APIRouter(prefix="/v1/customer-facets", tags=["customers"])


@router.get("", response_model=FacetsView)
async def count(query: Annotated[CustomerFilters, Query()], call: Annotated[Call, allow(kinds=STAFF)]) -> Response:
    """How many customers there are of each kind, among those that the filters leave and the caller sees."""
    async with call.read() as read:
        return call.answer(await customer_facets.facets(read, query.filters))
