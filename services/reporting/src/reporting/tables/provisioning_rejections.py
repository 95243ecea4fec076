"""One row per product asked for that licensing did not give, as it told it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import Base, TenantRow


class ProvisioningRejection(TenantRow, Base):
    __tablename__ = "provisioning_rejections"
    __table_args__ = (
        UniqueConstraint("id", name="provisioning_rejections_one_partner"),
        Index("provisioning_rejections_customer", "partner_id", "customer_id"),
        Index("provisioning_rejections_by_customer", "customer_id"),
    )

    version: Mapped[int] = mapped_column()
    customer_id: Mapped[UUID]
    offer: Mapped[str]
    code: Mapped[str]
    at: Mapped[datetime]
