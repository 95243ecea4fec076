"""Credentials: links that let somebody set a password. The link's token never travels in an event."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from contracts.customers.users import UserFact

type LinkPurpose = Literal["welcome", "invitation", "password_reset"]


class CredentialLinkRequested(UserFact):
    """Somebody may be sent a link; whoever mails it derives the token from the link's id and the link key."""

    topic: ClassVar[str] = "credential.link_requested"
    link_id: UUID
    user_id: UUID
    purpose: LinkPurpose
    expires_at: datetime
