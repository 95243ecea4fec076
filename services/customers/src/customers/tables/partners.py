"""Partners: who sells, and under whom. A partner is its own tenant: ``partner_id`` is ``id``."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Double, ForeignKeyConstraint, Index, Table, Text, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import Base, TenantRow, Versioned


class Partner(TenantRow, Versioned, Base):
    """The foreign key to the parent has one column on purpose: it points at another partner."""

    __tablename__ = "partners"
    __table_args__ = (
        UniqueConstraint("id", name="partners_id"),
        CheckConstraint("partner_id = id", name="is_its_own_tenant"),
        CheckConstraint("status in ('active', 'disabled')", name="status"),
        ForeignKeyConstraint(["parent_id"], ["partners.id"], name="partners_parent"),
        Index("partners_ancestors", "ancestors", postgresql_using="gin"),
        Index("partners_by_name", "name_key", "id"),
        Index("partners_below", "parent_id", "name_key", "id"),
    )

    name: Mapped[str]
    name_key: Mapped[str]
    country: Mapped[str]
    status: Mapped[str]
    parent_id: Mapped[UUID | None]
    ancestors: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    shut_out: Mapped[bool] = mapped_column(default=False)
    sandbox: Mapped[bool] = mapped_column(default=False)
    ahead_seconds: Mapped[float | None] = mapped_column(Double)
    language: Mapped[str]
    time_zone: Mapped[str]
    support: Mapped[dict[str, Any]]
    second_factor: Mapped[str] = mapped_column(default="optional")
    second_factor_below: Mapped[str] = mapped_column(default="optional")
    registered_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    disabled_by: Mapped[UUID | None]
    address: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    terms_version: Mapped[str | None]
    terms_accepted_at: Mapped[datetime | None]
    held_for: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    shut_out_at: Mapped[datetime | None]
    sign_in_domains: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)


class Reseller(TenantRow, Versioned, Base):
    """A view: partners as the one directly above sees them, which is here their ``partner_id`` (CUS-69)."""

    __tablename__ = "resellers"
    __table_args__ = ({"info": {"view": True}},)

    name: Mapped[str]
    name_key: Mapped[str]
    country: Mapped[str]
    status: Mapped[str]
    parent_id: Mapped[UUID]
    sandbox: Mapped[bool]
    shut_out: Mapped[bool]
    language: Mapped[str]
    time_zone: Mapped[str]
    support: Mapped[dict[str, Any]]
    registered_at: Mapped[datetime]
    address: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    held_for: Mapped[list[str]] = mapped_column(ARRAY(Text))


partners = cast("Table", Partner.__table__)
"""As statements name it that read some columns."""
