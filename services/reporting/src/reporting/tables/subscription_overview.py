"""One row per subscription, as licensing told it last."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import Base, TenantRow


class SubscriptionOverview(TenantRow, Base):
    """``kind`` is what the subscription is now: a trial until its first paid term begins."""

    __tablename__ = "subscription_overview"
    __table_args__ = (
        UniqueConstraint("id", name="subscription_overview_one_partner"),
        Index("subscription_overview_customer", "partner_id", "customer_id"),
    )

    version: Mapped[int] = mapped_column()
    customer_id: Mapped[UUID]
    offer: Mapped[str | None]
    product: Mapped[str]
    product_type: Mapped[str]
    kind: Mapped[str]
    status: Mapped[str]
    seats_used: Mapped[int]
    seats_bought: Mapped[int]
    trial_ends_at: Mapped[datetime | None]
    term_end: Mapped[datetime | None]
