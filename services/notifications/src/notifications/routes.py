"""HTTP: what was mailed."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from chassis.http.calls import Call, allow
from chassis.http.lists import Listing, ListQuery
from notifications import correspondence
from notifications.correspondence import MailState, MailView

router: Final = APIRouter(prefix="/v1/notifications", tags=["notifications"])

READERS: Final = frozenset({"partner", "service", "operator"})


class MailsQuery(ListQuery):
    """Filters left out mean all. Sorts: created_at, state."""

    customer_id: UUID | None = None
    state: MailState | None = None


@router.get("", response_model=Listing[MailView])
async def list_mails(query: Annotated[MailsQuery, Query()], call: Annotated[Call, allow(kinds=READERS)]) -> Response:
    async with call.read(customer=query.customer_id) as read:
        return call.answer(await correspondence.page(read, query.wanted, customer_id=query.customer_id, state=query.state))
