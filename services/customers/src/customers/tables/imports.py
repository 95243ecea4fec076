"""Imports: whom a partner has asked to let it manage an account that exists already, and what came of it (CUS-44).

A row says nothing of whether the address is anybody's, and is the asking partner's alone. Its id is
its consent's, which lies with the customer, if there is one.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped

from chassis.database.tables import Base, TenantRow, Versioned


class Import(TenantRow, Versioned, Base):
    """``customer_id`` is known once it was imported; ``reason`` says why it was not."""

    __tablename__ = "imports"
    __table_args__ = (
        CheckConstraint("status in ('requested', 'imported', 'declined', 'expired')", name="status"),
        CheckConstraint("(status = 'imported') = (customer_id is not null)", name="imported_names_its_customer"),
        Index("imports_one_open", "partner_id", "email_key", unique=True, postgresql_where=text("status = 'requested'")),
        Index("imports_newest", "partner_id", "requested_at", "id"),
    )

    email: Mapped[str]
    email_key: Mapped[str]
    status: Mapped[str]
    reason: Mapped[str | None]
    management_type: Mapped[str | None]
    customer_id: Mapped[UUID | None]
    requested_by: Mapped[UUID | None]
    requested_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    expires_at: Mapped[datetime]
