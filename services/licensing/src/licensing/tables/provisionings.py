"""Provisionings: what became of each product asked for at a customer's creation. One row per item, for ever."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped

from chassis.database.tables import TenantRow
from licensing.tables import Base


class Provisioning(TenantRow, Base):
    """``provisionings_item_once`` is what makes a replayed or repeated state give nothing twice."""

    __tablename__ = "provisionings"
    __table_args__ = (
        UniqueConstraint("customer_id", "item", name="provisionings_item_once"),
        CheckConstraint("kind in ('trial', 'paid')", name="kind_known"),
        CheckConstraint("outcome in ('given', 'rejected')", name="outcome_known"),
        CheckConstraint("(outcome = 'given') = (subscription_id is not null)", name="given_names_its_subscription"),
        CheckConstraint("(outcome = 'rejected') = (code is not null and rule is not null)", name="rejected_names_its_rule"),
        ForeignKeyConstraint(
            ["partner_id", "subscription_id"],
            ["subscriptions.partner_id", "subscriptions.id"],
            name="provisionings_gave_a_subscription",
            onupdate="CASCADE",
            deferrable=True,
            initially="DEFERRED",
        ),
    )

    customer_id: Mapped[UUID]
    item: Mapped[int]
    offer: Mapped[str]
    kind: Mapped[str]
    quantity: Mapped[int | None]
    outcome: Mapped[str]
    subscription_id: Mapped[UUID | None]
    code: Mapped[str | None]
    rule: Mapped[str | None]
    policy_version: Mapped[str | None]
    remedy: Mapped[str | None]
    decided_at: Mapped[datetime]
