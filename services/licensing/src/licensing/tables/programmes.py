"""Programmes of partners: validated, then active, then ended (LIC-07)."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import TenantRow, Versioned
from licensing.tables import Base


class Programme(TenantRow, Versioned, Base):
    __tablename__ = "programmes"
    __table_args__ = (
        CheckConstraint("kind in ('service_provider')", name="kind_known"),
        CheckConstraint("status in ('validated', 'active', 'ended')", name="status_known"),
        UniqueConstraint("partner_id", "serial_number", name="programmes_serial_once_per_partner"),
        Index("programmes_serial_activated_once", "serial_number", unique=True, postgresql_where=text("status <> 'validated'")),
        Index("programmes_by_validation", "partner_id", "validated_at", "id"),
        Index("programmes_one_active", "partner_id", "kind", unique=True, postgresql_where=text("status = 'active'")),
    )

    kind: Mapped[str]
    status: Mapped[str]
    serial_number: Mapped[str]
    capabilities: Mapped[list[str]] = mapped_column(ARRAY(Text))
    validated_at: Mapped[datetime]
    activated_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
