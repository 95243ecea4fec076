"""One row per customer: what customers told of it last, and what its subscriptions add up to.

The columns from ``products`` on are kept by ``rules.product_use``, those from ``endpoints_at_risk``
on by ``rules.endpoint_counts``, all others by the projection of ``customer.changed``; none writes another's.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Computed, Index, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import Base, TenantRow


class CustomerOverview(TenantRow, Base):
    """``next_trial_end`` is the year 9999 where no trial runs: a cursor carries no null, and Python no infinity.

    ``unsettled`` says that there is something for which the customer may need attention, whatever the time is and as the
    policy weighs it; a trial that ends soon is such a thing only from some instant on. ``last_rejected_at`` is the year 1
    where nothing was rejected.
    """

    __tablename__ = "customer_overview"
    __table_args__ = (
        UniqueConstraint("id", name="customer_overview_one_partner"),
        Index("customer_overview_name", "partner_id", "name_key", "id"),
        Index("customer_overview_type", "partner_id", "management_type", "name_key", "id"),
        Index("customer_overview_created", "partner_id", "created_at", "id"),
        Index("customer_overview_trial_end", "partner_id", "next_trial_end", "id"),
        Index("customer_overview_updates", "partner_id", "agent_updates", "name_key", "id"),
        Index("customer_overview_unsettled", "partner_id", "id", postgresql_where="unsettled"),
        Index("customer_overview_search", "partner_id", "name_key", postgresql_using="gin", postgresql_ops={"name_key": "gin_trgm_ops"}),
        Index(
            "customer_overview_products", "partner_id", "products", postgresql_using="gin", postgresql_ops={"products": "jsonb_path_ops"}
        ),
    )

    version: Mapped[int] = mapped_column()
    name: Mapped[str]
    name_key: Mapped[str] = mapped_column(Text(collation="C"))
    status: Mapped[str]
    management_type: Mapped[str]
    communications_mode: Mapped[str]
    contact_name: Mapped[str]
    contact_email: Mapped[str]
    contact_phone: Mapped[str | None]
    domain: Mapped[str]
    city: Mapped[str]
    country: Mapped[str]
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime]
    products: Mapped[list[dict[str, Any]]] = mapped_column(server_default="[]")
    expired_trials: Mapped[list[dict[str, Any]]] = mapped_column(server_default="[]")
    expired_paid: Mapped[list[dict[str, Any]]] = mapped_column(server_default="[]")
    rejections: Mapped[list[dict[str, Any]]] = mapped_column(server_default="[]")
    last_rejected_at: Mapped[datetime] = mapped_column(server_default="0001-01-01 00:00:00+00")
    trials: Mapped[int] = mapped_column(server_default="0")
    paid: Mapped[int] = mapped_column(server_default="0")
    seats_all_used: Mapped[bool] = mapped_column(server_default="false")
    seats_exceeded: Mapped[bool] = mapped_column(server_default="false")
    next_trial_end: Mapped[datetime] = mapped_column(server_default="9999-01-01 00:00:00+00")
    endpoints_at_risk: Mapped[int] = mapped_column(server_default="0")
    endpoints_disabled: Mapped[int] = mapped_column(server_default="0")
    activations_required: Mapped[int] = mapped_column(server_default="0")
    agent_updates: Mapped[int] = mapped_column(server_default="0")
    definition_updates: Mapped[int] = mapped_column(server_default="0")
    firmware_updates: Mapped[int] = mapped_column(server_default="0")
    unsettled: Mapped[bool] = mapped_column(
        Computed(
            "status = 'pending_review' or seats_all_used or seats_exceeded or expired_trials <> '[]'::jsonb or expired_paid <> '[]'::jsonb"
            " or rejections <> '[]'::jsonb or endpoints_at_risk + endpoints_disabled + activations_required + agent_updates"
            " + definition_updates + firmware_updates > 0"
        )
    )
