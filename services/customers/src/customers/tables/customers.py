"""Customers: the end companies that partners run, with what was accepted and reviewed at their creation.

Two living customers of a partner never have the same company (CUS-12): the unique index
``customers_one_per_company`` keeps that true when two are created at once.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKeyConstraint, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import WITHHELD, Base, TenantRow, Versioned

LIVING = "status not in ('deleted', 'purged', 'rejected')"


class Customer(TenantRow, Versioned, Base):
    """``rejected_for`` is why a reviewer has rejected it, until an operator takes that back."""

    __tablename__ = "customers"
    __table_args__ = (
        UniqueConstraint("id", name="customers_id"),
        CheckConstraint(
            "status in ('draft', 'pending_review', 'active', 'disabled', 'deleting', 'deleted', 'purged', 'rejected')", name="status"
        ),
        CheckConstraint("management_type in ('partner_managed', 'customer_managed', 'co_managed')", name="management_type"),
        CheckConstraint("communications_mode in ('partner_only', 'both')", name="communications_mode"),
        ForeignKeyConstraint(["partner_id"], ["partners.id"], name="customers_partner"),
        Index("customers_one_per_company", "partner_id", "company_key", "country", unique=True, postgresql_where=text(LIVING)),
        Index("customers_by_name", "partner_id", "name_key", "id"),
        Index("customers_by_type", "partner_id", "management_type", "id"),
        Index("customers_by_creation", "partner_id", "created_at", "id"),
        Index("customers_search", "partner_id", "name_key", postgresql_using="gin", postgresql_ops={"name_key": "gin_trgm_ops"}),
    )

    owner_partner_id: Mapped[UUID]
    status: Mapped[str]
    management_type: Mapped[str]
    communications_mode: Mapped[str]
    name: Mapped[str]
    name_key: Mapped[str] = mapped_column(Text(collation="C"))
    company_key: Mapped[str]
    country: Mapped[str]
    domain: Mapped[str]
    company: Mapped[dict[str, Any]]
    contact: Mapped[dict[str, Any]]
    first_admin: Mapped[dict[str, Any]]
    products: Mapped[list[dict[str, Any]]] = mapped_column(info=WITHHELD)
    review_reasons: Mapped[list[str]] = mapped_column(ARRAY(Text), info=WITHHELD)
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), info=WITHHELD)
    data_region: Mapped[str]
    welcome_link_id: Mapped[UUID | None]
    identity_policy_version: Mapped[str]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    account_type: Mapped[str]
    unmanaged_macs_allowed: Mapped[bool] = mapped_column(default=False)
    products_settled: Mapped[bool] = mapped_column(default=False)
    management_wanted: Mapped[str | None]
    imported_at: Mapped[datetime | None]
    stages: Mapped[list[dict[str, Any]]] = mapped_column(default=list, server_default="[]", info=WITHHELD)
    moving_to: Mapped[UUID | None] = mapped_column(info=WITHHELD)
    shut_out_at: Mapped[datetime | None]
    rejected_for: Mapped[str | None] = mapped_column(info=WITHHELD)


class EulaAcceptance(TenantRow, Base):
    """Who accepted which version of the licence terms for a customer, and when (CUS-26)."""

    __tablename__ = "eula_acceptances"
    __table_args__ = (
        ForeignKeyConstraint(
            ["partner_id", "customer_id"],
            ["customers.partner_id", "customers.id"],
            name="eula_acceptances_customer",
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        Index("eula_acceptances_of_customer", "partner_id", "customer_id"),
    )

    customer_id: Mapped[UUID]
    eula_version: Mapped[str]
    accepted_by: Mapped[UUID]
    accepted_at: Mapped[datetime]


class Review(TenantRow, Base):
    """Why a customer is held, in full (the customer's own row has the codes alone), and what was decided.

    ``held_from`` is the status to which an established customer goes back; None at its creation.
    """

    __tablename__ = "reviews"
    __table_args__ = (
        CheckConstraint("status in ('open', 'cleared', 'rejected')", name="status"),
        ForeignKeyConstraint(
            ["partner_id", "customer_id"],
            ["customers.partner_id", "customers.id"],
            name="reviews_customer",
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        Index("reviews_one_open", "partner_id", "customer_id", unique=True, postgresql_where=text("status = 'open'")),
        Index("reviews_open", "opened_at", "id", postgresql_where=text("status = 'open'")),
    )

    customer_id: Mapped[UUID]
    status: Mapped[str]
    findings: Mapped[list[dict[str, Any]]]
    opened_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None]
    reason: Mapped[str | None]
    held_from: Mapped[str | None]
