"""HTTP: what was mailed."""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from chassis.http.calls import Call, allow
from chassis.http.lists import DEFAULT_LIMIT, Cursor, Limit, Listing
from chassis.http.text import Text
from contracts.notifications.notifications import RecipientRole
from notifications import correspondence
from notifications.correspondence import MailState, Wanted

router: Final = APIRouter(prefix="/v1/notifications", tags=["notifications"])

READERS: Final = frozenset({"partner", "operator"})


class ListQuery(BaseModel):
    """Filters left out mean all. Sorts: created_at, state."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    customer_id: UUID | None = None
    state: MailState | None = None
    sort: Annotated[str, Text(100)] | None = None
    cursor: Cursor | None = None
    limit: Limit = DEFAULT_LIMIT


class MailView(BaseModel):
    """A mail: to whom, about what, and what became of it. ``reason`` says why it failed, or by which rule it was held back."""

    id: UUID
    partner_id: UUID
    customer_id: UUID | None
    template: str
    recipient: RecipientRole
    user_id: UUID
    address: str
    language: str
    subject: str | None
    state: MailState
    reason: str | None
    attempts: int
    message_id: str | None
    created_at: datetime
    settled_at: datetime | None


@router.get("", response_model=Listing[MailView])
async def list_mails(query: Annotated[ListQuery, Query()], call: Annotated[Call, allow(kinds=READERS)]) -> Response:
    async with call.read(customer=query.customer_id) as read:
        return call.answer(await correspondence.page(read, Wanted(**query.model_dump())))
