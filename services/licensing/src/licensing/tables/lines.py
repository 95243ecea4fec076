"""Rated lines: immutable. Request roles may add and read them, nobody but the owner of the table changes one."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, Numeric, text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import TenantRow
from licensing.tables import Base

WHOLE_PERIODS = ("first_period", "conversion", "period", "renewal", "usage", "true_up")
"""Reasons of which a subscription has one line per period at most, whatever runs twice."""


class BillingLine(TenantRow, Base):
    __tablename__ = "billing_lines"
    __table_args__ = (
        ForeignKeyConstraint(
            ["partner_id", "subscription_id"],
            ["subscriptions.partner_id", "subscriptions.id"],
            name="billing_lines_of_a_subscription",
            onupdate="CASCADE",
        ),
        Index(
            "billing_lines_period_rated_once",
            "partner_id",
            "subscription_id",
            "period_from",
            "reason",
            unique=True,
            postgresql_where=text(f"reason in {WHOLE_PERIODS}"),
        ),
        Index("billing_lines_newest", "partner_id", "rated_at", "id"),
        Index("billing_lines_of_a_customer", "partner_id", "customer_id", "rated_at", "id"),
    )

    customer_id: Mapped[UUID]
    subscription_id: Mapped[UUID]
    reason: Mapped[str]
    product: Mapped[str]
    offer: Mapped[str]
    offer_version: Mapped[int]
    currency: Mapped[str]
    unit_price: Mapped[Decimal] = mapped_column(Numeric(20, 6))
    quantity: Mapped[Decimal] = mapped_column(Numeric)
    numerator: Mapped[int]
    denominator: Mapped[int]
    convention: Mapped[str]
    rounding_order: Mapped[str]
    unrounded_amount: Mapped[str]
    adjustment: Mapped[Decimal] = mapped_column(Numeric)
    amount: Mapped[Decimal] = mapped_column(Numeric)
    period_from: Mapped[date]
    period_to: Mapped[date]
    policy_versions: Mapped[dict[str, Any]]
    corrects: Mapped[UUID | None]
    rated_at: Mapped[datetime]
