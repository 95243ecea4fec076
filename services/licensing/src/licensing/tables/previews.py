"""Previews: what a caller was shown, so that its confirmation executes exactly that (BEY-05)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped

from chassis.database.tables import TenantRow
from licensing.tables import Base


class Preview(TenantRow, Base):
    """``shown`` is the quote as it was answered; ``subscription_version`` the version it was made from."""

    __tablename__ = "previews"
    __table_args__ = (
        ForeignKeyConstraint(
            ["partner_id", "subscription_id"],
            ["subscriptions.partner_id", "subscriptions.id"],
            name="previews_of_a_subscription",
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        Index("previews_of_one_subscription", "partner_id", "subscription_id"),
    )

    subscription_id: Mapped[UUID]
    subscription_version: Mapped[int]
    quantity: Mapped[int]
    shown: Mapped[dict[str, Any]]
    expires_at: Mapped[datetime]
