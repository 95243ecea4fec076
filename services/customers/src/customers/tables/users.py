"""Users: every principal that may sign in or call.

``role_ids`` is a list and no table of its own because every request reads it; who assigns a
role locks it first, so none is named that does not exist. The password is not here but behind
the door, where no running role can read it; so is the secret of its second factor. ``data_region`` is its
customer's, which never changes.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKeyConstraint, Index, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import Base, TenantRow, Versioned


class User(TenantRow, Versioned, Base):
    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("kind in ('operator', 'partner', 'customer', 'service')", name="kind"),
        CheckConstraint("status in ('invited', 'active', 'disabled')", name="status"),
        CheckConstraint("(kind = 'customer') = (customer_id is not null)", name="of_a_customer"),
        ForeignKeyConstraint(["partner_id"], ["partners.id"], name="users_partner"),
        ForeignKeyConstraint(
            ["partner_id", "customer_id"],
            ["customers.partner_id", "customers.id"],
            name="users_customer",
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        Index("users_by_creation", "partner_id", "created_at", "id"),
        Index("users_of_customer", "partner_id", "customer_id"),
    )

    customer_id: Mapped[UUID | None]
    kind: Mapped[str]
    status: Mapped[str]
    disabled_from: Mapped[str | None]
    gen: Mapped[int]
    name: Mapped[str]
    email: Mapped[str | None]
    language: Mapped[str]
    role_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    contacts: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    second_factor: Mapped[bool] = mapped_column(default=False)
    scopes: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    data_region: Mapped[str] = mapped_column(default="default", server_default="default")
    email_change: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
