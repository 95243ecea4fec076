"""Drafts: applications that are kept until they are sent (CUS-20). Nothing is told of one: it is no customer yet."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import PASSING, Base, TenantRow, Versioned


class Draft(TenantRow, Versioned, Base):
    """``customer_id`` is what became of it; from then on it is empty. ``expires_at`` is real time.

    ``eula_by`` is who changed last what it says of the licence terms, and ``eula_at`` when.
    """

    __tablename__ = "customer_drafts"
    __table_args__ = (
        ForeignKeyConstraint(["partner_id"], ["partners.id"], name="customer_drafts_partner"),
        Index("customer_drafts_by_change", "partner_id", "updated_at", "id"),
        Index("customer_drafts_expiry", "expires_at"),
    )

    body: Mapped[dict[str, Any]] = mapped_column(info=PASSING)
    problems: Mapped[list[dict[str, Any]]] = mapped_column(info=PASSING)
    warnings: Mapped[list[dict[str, Any]]] = mapped_column(info=PASSING)
    ready: Mapped[bool]
    customer_id: Mapped[UUID | None] = mapped_column(default=None)
    eula_by: Mapped[UUID | None]
    eula_at: Mapped[datetime | None]
    created_by: Mapped[UUID]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    expires_at: Mapped[datetime]
