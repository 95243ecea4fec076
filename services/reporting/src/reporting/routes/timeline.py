"""The timeline over HTTP."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from chassis.http.calls import Call, allow
from chassis.http.lists import Listing, ListQuery
from reporting import timeline
from reporting.timeline import MomentView

router: Final = APIRouter(prefix="/v1/customers/{customer_id}/timeline", tags=["timeline"])

READERS: Final = frozenset({"partner", "service", "operator"})


@router.get("", response_model=Listing[MomentView])
async def list_moments(customer_id: UUID, query: Annotated[ListQuery, Query()], call: Annotated[Call, allow(kinds=READERS)]) -> Response:
    """What happened to a customer. Sorts: at."""
    async with call.read(customer=customer_id) as read:
        return call.answer(await timeline.page(read, customer_id, query.wanted))
