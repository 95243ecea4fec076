"""What notifications says of a customer in its bundle: what was mailed to it, and what became of that (BEY-15).

Only what is settled leaves, so nothing is mailed anew; and only what was written to the customer by its partner: copies to
the partner's people are theirs, and what another partner has asked is none of this one's. Links stay behind.
"""

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from chassis.bundles import Bundle, Noun, Portable
from chassis.database import Transaction
from contracts.records import Part
from notifications.tables.mails import Mail


class MailRow(Part):
    """A mail without the link it carried and what it said."""

    id: UUID
    version: int
    template: str
    user_id: UUID
    address: str
    language: str
    state: Literal["sent", "failed", "suppressed"]
    attempts: int
    message_id: str | None
    subject: str | None
    reason: str | None
    created_at: datetime
    settled_at: datetime | None


_MAILS: Final = Noun(
    file="notifications/mails.jsonl",
    row=MailRow,
    table=Mail,
    only=lambda kept: [kept["recipient"] == "customer", kept["state"] != "pending", kept["in_name_of"].is_(None)],
    constant={"recipient": "customer", "awaits_copies": False},
    derived=lambda row: {"occasion_id": row.id},
)


async def _settle(_tx: Transaction, _bundle: Bundle) -> None:
    """What was mailed elsewhere is told nobody here."""


PORTABLE: Final = Portable(service="notifications", nouns=(_MAILS,), settle=_settle)
