"""How each subscription stood from when on: one row per version that was told, so that the past can be asked (BEY-12)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import WITHHELD
from licensing.tables import Base


class SubscriptionMoment(Base):
    """What an entitlement says of a subscription, from ``at`` (business time) on."""

    __tablename__ = "subscription_moments"
    __table_args__ = (
        Index("subscription_moments_of_a_customer", "partner_id", "customer_id", "id", "version"),
        Index("subscription_moments_by_customer", "customer_id"),
    )

    partner_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    customer_id: Mapped[UUID]
    at: Mapped[datetime]
    serial_number: Mapped[str]
    offer: Mapped[str] = mapped_column(info=WITHHELD)
    product: Mapped[str]
    product_type: Mapped[str]
    status: Mapped[str]
    seats_bought: Mapped[int]
    seats_used: Mapped[int]
    zone: Mapped[str]
    started_at: Mapped[datetime]
    trial_ends_at: Mapped[datetime | None]
    term_start: Mapped[datetime | None]
    term_end: Mapped[datetime | None]
    auto_renew: Mapped[bool]
