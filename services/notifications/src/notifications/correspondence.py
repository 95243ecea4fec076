"""Correspondence: what was mailed to whom, and what became of it, newest first.

A partner's users see what concerns customers they may see, and what was written to colleagues;
operators see it of every partner.
"""

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from chassis.database import Read
from chassis.http.lists import Listing, Paged, Sorts, Wanted
from chassis.http.views import View
from contracts.notifications.notifications import RecipientRole
from notifications.tables.mails import Mail

type MailState = Literal["pending", "sent", "failed", "suppressed"]

SORTS: Final = Sorts({"created_at": ("created_at", datetime), "state": ("state", str)}, default="-created_at", last=("id", UUID))


class MailView(View, frozen=True, kw_only=True):
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


_MAILS: Final = Paged(Mail, MailView, SORTS, customer="customer_id")


async def page(read: Read, wanted: Wanted, *, customer_id: UUID | None = None, state: MailState | None = None) -> Listing[MailView]:
    """One page of what was mailed."""
    return await _MAILS.page(read, wanted, customer_id=customer_id, state=state)
