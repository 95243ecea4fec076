"""Rated lines."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Response

from chassis.http.calls import Call, allow
from chassis.http.lists import DEFAULT_LIMIT, Cursor, Limit, Listing
from licensing import lines
from licensing.lines import LineView, ListLines

router: Final = APIRouter(prefix="/v1/lines", tags=["lines"])


@router.get("", response_model=Listing[LineView])
async def list_lines(
    call: Annotated[Call, allow(kinds=frozenset({"partner", "operator"}))],
    *,
    customer_id: UUID | None = None,
    subscription_id: UUID | None = None,
    sort: Annotated[str | None, Query(max_length=200)] = None,
    cursor: Cursor | None = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Response:
    asked = ListLines(customer_id=customer_id, subscription_id=subscription_id, sort=sort, cursor=cursor, limit=limit)
    async with call.read() as read:
        return call.answer(await lines.page(read, asked))
