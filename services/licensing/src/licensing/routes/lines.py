"""Rated lines."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Response

from chassis.http.calls import Call, allow
from chassis.http.lists import Listing, ListQuery
from licensing import lines
from licensing.lines import LineView

router: Final = APIRouter(prefix="/v1/lines", tags=["lines"])


class LinesQuery(ListQuery):
    """Sorts: rated_at."""

    customer_id: UUID | None = None
    subscription_id: UUID | None = None


@router.get("", response_model=Listing[LineView])
async def list_lines(
    query: Annotated[LinesQuery, Query()], call: Annotated[Call, allow(kinds=frozenset({"partner", "service", "operator"}))]
) -> Response:
    async with call.read() as read:
        return call.answer(await lines.page(read, query.wanted, customer_id=query.customer_id, subscription_id=query.subscription_id))
