"""Rated lines."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Response

from chassis.http.calls import Call, allow
from chassis.http.lists import DEFAULT_LIMIT, Cursor, Limit, Listing
from licensing import lines
from licensing.lines import LineView, ListLines
from licensing.routes.queries import Asked, SortText

router: Final = APIRouter(prefix="/v1/lines", tags=["lines"])


class LinesAsked(Asked):
    customer_id: UUID | None = None
    subscription_id: UUID | None = None
    sort: SortText | None = None
    cursor: Cursor | None = None
    limit: Limit = DEFAULT_LIMIT


@router.get("", response_model=Listing[LineView])
async def list_lines(
    query: Annotated[LinesAsked, Query()], call: Annotated[Call, allow(kinds=frozenset({"partner", "operator"}))]
) -> Response:
    async with call.read() as read:
        return call.answer(await lines.page(read, ListLines(**query.model_dump())))
