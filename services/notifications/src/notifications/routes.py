"""HTTP: what was mailed."""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel
from starlette.responses import Response

from chassis.http.calls import Call, allow
from chassis.http.lists import DEFAULT_LIMIT, Cursor, Limit, Listing
from contracts.notifications.notifications import RecipientRole
from notifications import correspondence
from notifications.correspondence import MailState, Wanted

router: Final = APIRouter(prefix="/v1/notifications", tags=["notifications"])


class MailView(BaseModel):
    """A mail: to whom, about what, and what became of it. ``reason`` says why it failed, or by which rule it was held back."""

    id: UUID
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
async def list_mails(
    call: Annotated[Call, allow()],
    customer_id: UUID | None = None,
    state: MailState | None = None,
    cursor: Cursor | None = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Response:
    async with call.read(customer=customer_id) as read:
        return call.answer(await correspondence.page(read, Wanted(customer_id=customer_id, state=state, cursor=cursor, limit=limit)))
