"""One row per fact about a customer, under the event's own id."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import Base, TenantRow


class Moment(TenantRow, Base):
    __tablename__ = "timeline"
    __table_args__ = (Index("timeline_customer", "partner_id", "customer_id", "at", "id"), Index("timeline_by_customer", "customer_id"))

    customer_id: Mapped[UUID] = mapped_column()
    at: Mapped[datetime]
    topic: Mapped[str]
    subject: Mapped[UUID]
