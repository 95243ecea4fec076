"""One row per entry of any service's audit, under the entry's own id. No values: those stay where they were changed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import Base, TenantRow


class AuditLine(TenantRow, Base):
    __tablename__ = "audit_trail"
    __table_args__ = (
        Index("audit_trail_by_time", "partner_id", "at", "id"),
        Index("audit_trail_by_user", "partner_id", "user_id", "at", "id"),
        Index("audit_trail_by_subject", "partner_id", "subject_id", "at", "id"),
        Index("audit_trail_by_operation", "partner_id", "operation", "at", "id"),
    )

    customer_id: Mapped[UUID | None]
    service: Mapped[str]
    at: Mapped[datetime]
    user_id: Mapped[UUID]
    user_kind: Mapped[str]
    user_partner_id: Mapped[UUID]
    acting_as: Mapped[UUID | None]
    operation: Mapped[str]
    outcome: Mapped[str]
    code: Mapped[str | None]
    subject_type: Mapped[str | None]
    subject_id: Mapped[UUID | None]
    facts: Mapped[list[str]] = mapped_column(ARRAY(Text))
    fields: Mapped[list[str]] = mapped_column(ARRAY(Text))
    request_id: Mapped[str | None]
