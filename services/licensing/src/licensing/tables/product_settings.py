"""Product settings: templates of partners, what customers' products are set to, and policies that are deployed to them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import WITHHELD, TenantRow, Versioned
from licensing.tables import Base


class Template(TenantRow, Versioned, Base):
    """A partner's own settings for a product, under a name. One of a product may be its default: new customers get that."""

    __tablename__ = "product_templates"
    __table_args__ = (
        UniqueConstraint("partner_id", "product", "name_key", name="product_templates_name_once"),
        Index("product_templates_one_default", "partner_id", "product", unique=True, postgresql_where=text("is_default")),
        Index("product_templates_by_name", "partner_id", "name_key", "id"),
    )

    product: Mapped[str]
    name: Mapped[str]
    name_key: Mapped[str]
    settings: Mapped[dict[str, Any]]
    is_default: Mapped[bool]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class ProductSettings(TenantRow, Versioned, Base):
    """A product of a customer, as it is set. ``template_*`` say by which version of which template, pinned; null where by none."""

    __tablename__ = "product_settings"
    __table_args__ = (
        UniqueConstraint("customer_id", "product", name="product_settings_once"),
        Index("product_settings_of_a_customer", "partner_id", "customer_id", "product"),
    )

    customer_id: Mapped[UUID]
    product: Mapped[str]
    settings: Mapped[dict[str, Any]]
    template_id: Mapped[UUID | None] = mapped_column(info=WITHHELD)
    template_version: Mapped[int | None] = mapped_column(info=WITHHELD)
    template_name: Mapped[str | None] = mapped_column(info=WITHHELD)
    updated_at: Mapped[datetime]


class PolicyDeployment(TenantRow, Versioned, Base):
    """A policy on its way to a customer's product. ``policy_deployments_one_open`` keeps it to one at a time."""

    __tablename__ = "policy_deployments"
    __table_args__ = (
        CheckConstraint("status in ('requested', 'applied', 'failed', 'superseded', 'unanswered')", name="status_known"),
        CheckConstraint("(status = 'requested') = (finished_at is null)", name="finished_has_a_time"),
        Index("policy_deployments_one_open", "customer_id", "product", unique=True, postgresql_where=text("status = 'requested'")),
        Index("policy_deployments_newest", "partner_id", "requested_at", "id"),
        Index("policy_deployments_of_a_customer", "partner_id", "customer_id", "requested_at", "id"),
        Index("policy_deployments_of_a_job", "partner_id", "job_id", "requested_at", "id"),
        Index("policy_deployments_by_customer", "customer_id"),
    )

    customer_id: Mapped[UUID]
    product: Mapped[str]
    settings: Mapped[dict[str, Any]]
    status: Mapped[str]
    detail: Mapped[str | None]
    job_id: Mapped[UUID]
    data_region: Mapped[str]
    requested_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
