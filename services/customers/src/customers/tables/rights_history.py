"""What was recorded of users, roles and customers as far as rights depend on them: one row per change, so that the past can be asked."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import Base


class RightsMoment(Base):
    """How an entity stood from ``at`` (business time) on; no ``state`` is its end with this partner."""

    __tablename__ = "rights_history"
    __table_args__ = (
        CheckConstraint("kind in ('user', 'role', 'customer')", name="kind"),
        Index("rights_history_subject", "subject"),
    )

    partner_id: Mapped[UUID] = mapped_column(primary_key=True)
    subject: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    at: Mapped[datetime]
    state: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
