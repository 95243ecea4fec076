"""Subscriptions: what a customer may use, from its trial to its end."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Numeric, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import WITHHELD, TenantRow, Versioned
from licensing.tables import Base

STATUSES = ("trial", "paused", "active", "suspended", "cancelling", "cancelled", "expired", "terminated")


class Subscription(TenantRow, Versioned, Base):
    """``trial_policy`` is the policy of the offer version it was started under, pinned (C-1); null when it never was a trial.

    ``partner_owned`` is one that is paid under the partner's own programme. When its customer is purged it is
    ``forgotten_at``: the row stays, because rated lines point at it, and is neither shown nor told any more.
    """

    __tablename__ = "subscriptions"
    __table_args__ = (
        CheckConstraint(f"status in {STATUSES}", name="status_known"),
        CheckConstraint("seats_used >= 0 and seats_used <= seats_bought", name="seats_within_bought"),
        CheckConstraint("status <> 'trial' or (trial_policy is not null and trial_ends_at is not null)", name="trial_has_an_end"),
        CheckConstraint("status <> 'active' or (term_start < term_end and unit_price is not null)", name="term_has_a_price"),
        UniqueConstraint("serial_number", name="subscriptions_serial_once"),
        Index("subscriptions_of_a_customer", "partner_id", "customer_id", "started_at", "id"),
        Index("subscriptions_newest", "partner_id", "started_at", "id"),
        Index("subscriptions_by_customer", "customer_id"),
    )

    customer_id: Mapped[UUID]
    item: Mapped[int | None]
    serial_number: Mapped[str]
    offer: Mapped[str] = mapped_column(info=WITHHELD)
    offer_version: Mapped[int] = mapped_column(info=WITHHELD)
    product: Mapped[str]
    product_type: Mapped[str]
    status: Mapped[str]
    seats_bought: Mapped[int]
    seats_used: Mapped[int]
    zone: Mapped[str]
    data_region: Mapped[str]
    started_at: Mapped[datetime]
    trial_policy: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True), info=WITHHELD)
    trial_ends_at: Mapped[datetime | None]
    last_notice: Mapped[str | None]
    term_start: Mapped[datetime | None]
    term_end: Mapped[datetime | None]
    auto_renew: Mapped[bool]
    currency: Mapped[str | None] = mapped_column(info=WITHHELD)
    unit_price: Mapped[Decimal | None] = mapped_column(Numeric(20, 6), info=WITHHELD)
    price_period: Mapped[str | None] = mapped_column(info=WITHHELD)
    charge: Mapped[str | None] = mapped_column(info=WITHHELD)
    partner_owned: Mapped[bool] = mapped_column(default=False, server_default="false")
    forgotten_at: Mapped[datetime | None]
