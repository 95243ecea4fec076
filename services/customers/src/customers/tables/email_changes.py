"""Changes of a login address: asked for, confirmed by a link to the new one, taken back by a link to the old one.

Tokens of both links are derived, never stored.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped

from chassis.database.tables import Base, TenantRow


class AddressChange(TenantRow, Base):
    __tablename__ = "email_changes"
    __table_args__ = (
        ForeignKeyConstraint(
            ["partner_id", "user_id"],
            ["users.partner_id", "users.id"],
            name="email_changes_user",
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        Index("email_changes_id", "id", unique=True),
        Index("email_changes_undo_id", "undo_id", unique=True),
        Index("email_changes_of_user", "partner_id", "user_id"),
    )

    user_id: Mapped[UUID]
    undo_id: Mapped[UUID]
    old_email: Mapped[str]
    new_email: Mapped[str]
    expires_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    undo_until: Mapped[datetime | None]
    undone_at: Mapped[datetime | None]
