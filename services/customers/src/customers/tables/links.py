"""Credential links: each lets one user set a password once, until it expires. Its token is derived, never stored."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped

from chassis.database.tables import Base, TenantRow


class Link(TenantRow, Base):
    __tablename__ = "links"
    __table_args__ = (
        CheckConstraint("purpose in ('welcome', 'invitation', 'password_reset')", name="purpose"),
        ForeignKeyConstraint(
            ["partner_id", "user_id"],
            ["users.partner_id", "users.id"],
            name="links_user",
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        Index("links_id", "id", unique=True),
        Index("links_of_user", "partner_id", "user_id"),
    )

    user_id: Mapped[UUID]
    purpose: Mapped[str]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
