"""Mails: whom one was written to, about what, and what became of it.

A row holds ids and the address, never a body: it is rendered when it is sent, so a link that
signs somebody in stands nowhere. ``mails_once`` is what keeps a mail from being written twice,
however often it is asked for. The version counts what was told of the mail, so it begins at 0.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import Base, TenantRow, Versioned


class Mail(TenantRow, Versioned, Base):
    """``occasion_id`` is what the mail is about: for a welcome and an invitation the link it carries.

    ``message_id``, ``subject``, ``attempts`` and ``settled_at`` are known once it is settled;
    ``reason`` says why it failed or by which rule it was held back. ``awaits_copies`` is true of a
    welcome of which no administrator of the partner could be written a copy yet.

    A customer's contact need be no user: then ``reader`` is the contact's name, and ``user_id`` the id of what it is asked.
    ``in_name_of`` is the partner that writes, where that is not the one whose mail it is; ``about`` is what the letter says.
    """

    __tablename__ = "mails"
    __table_args__ = (
        UniqueConstraint("template", "occasion_id", "user_id", name="mails_once"),
        CheckConstraint("recipient in ('customer', 'partner')", name="recipient_is_known"),
        CheckConstraint("state in ('pending', 'sent', 'failed', 'suppressed')", name="state_is_known"),
        CheckConstraint("(state = 'pending') = (settled_at is null)", name="settled_has_a_time"),
        Index("mails_list", "partner_id", "created_at", "id"),
        Index("mails_of_customer", "partner_id", "customer_id", "created_at", "id"),
        Index("mails_by_state", "partner_id", "state", "id"),
        Index("mails_without_copies", "partner_id", postgresql_where="awaits_copies"),
        Index("mails_by_customer", "customer_id"),
        Index("mails_by_user", "user_id"),
    )

    customer_id: Mapped[UUID | None]
    template: Mapped[str]
    recipient: Mapped[str]
    occasion_id: Mapped[UUID]
    user_id: Mapped[UUID]
    address: Mapped[str]
    language: Mapped[str]
    state: Mapped[str]
    attempts: Mapped[int] = mapped_column(default=0)
    message_id: Mapped[str | None]
    subject: Mapped[str | None]
    reason: Mapped[str | None]
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    awaits_copies: Mapped[bool] = mapped_column(default=False)
    reader: Mapped[str | None]
    in_name_of: Mapped[UUID | None]
    about: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
