"""Customers, what was accepted for them, and why they are held."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from chassis.database import schema

revision = "0002"
down_revision = "0001"

_LIVING = "status not in ('deleted', 'purged', 'rejected')"


def _key() -> tuple[sa.Column[object], sa.Column[object]]:
    return sa.Column("partner_id", sa.Uuid, primary_key=True), sa.Column("id", sa.Uuid, primary_key=True)


def _text(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _of_customer(name: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["partner_id", "customer_id"], ["customers.partner_id", "customers.id"], name=name, onupdate="CASCADE", ondelete="CASCADE"
    )


def upgrade() -> None:
    _customers()
    _papers()


def _customers() -> None:
    schema.create(
        "tenant",
        "customers",
        *_key(),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("owner_partner_id", sa.Uuid, nullable=False),
        *map(_text, ("status", "management_type", "communications_mode", "name")),
        sa.Column("name_key", sa.Text(collation="C"), nullable=False),
        *map(_text, ("company_key", "country", "domain")),
        *(sa.Column(name, JSONB, nullable=False) for name in ("company", "contact", "first_admin", "products")),
        sa.Column("review_reasons", ARRAY(sa.Text), nullable=False),
        sa.Column("tags", ARRAY(sa.Text), nullable=False),
        _text("data_region"),
        sa.Column("welcome_link_id", sa.Uuid),
        _text("identity_policy_version"),
        _time("created_at"),
        _time("updated_at"),
        sa.UniqueConstraint("id", name="customers_id"),
        sa.CheckConstraint(
            "status in ('draft', 'pending_review', 'active', 'disabled', 'deleting', 'deleted', 'purged', 'rejected')", name="status"
        ),
        sa.CheckConstraint("management_type in ('partner_managed', 'customer_managed', 'co_managed')", name="management_type"),
        sa.CheckConstraint("communications_mode in ('partner_only', 'both')", name="communications_mode"),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name="customers_partner"),
        sa.Index("customers_one_per_company", "partner_id", "company_key", "country", unique=True, postgresql_where=sa.text(_LIVING)),
        sa.Index("customers_by_name", "partner_id", "name_key", "id"),
        sa.Index("customers_by_type", "partner_id", "management_type", "id"),
        sa.Index("customers_by_creation", "partner_id", "created_at", "id"),
        sa.Index("customers_search", "partner_id", "name_key", postgresql_using="gin", postgresql_ops={"name_key": "gin_trgm_ops"}),
        portal="id",
        withheld=("products", "review_reasons", "tags"),
    )
    schema.access_view("access_customers", "select partner_id, id, version, status, management_type, tags from customers")
    op.create_foreign_key(
        "users_customer", "users", "customers", ["partner_id", "customer_id"], ["partner_id", "id"], onupdate="CASCADE", ondelete="CASCADE"
    )


def _papers() -> None:
    schema.create(
        "tenant",
        "eula_acceptances",
        *_key(),
        sa.Column("customer_id", sa.Uuid, nullable=False),
        _text("eula_version"),
        sa.Column("accepted_by", sa.Uuid, nullable=False),
        _time("accepted_at"),
        _of_customer("eula_acceptances_customer"),
        sa.Index("eula_acceptances_of_customer", "partner_id", "customer_id"),
        portal="customer_id",
    )
    schema.create(
        "tenant",
        "reviews",
        *_key(),
        sa.Column("customer_id", sa.Uuid, nullable=False),
        _text("status"),
        sa.Column("findings", JSONB, nullable=False),
        _time("opened_at"),
        _time("decided_at", nullable=True),
        sa.Column("decided_by", sa.Uuid),
        _text("reason", nullable=True),
        sa.CheckConstraint("status in ('open', 'cleared', 'rejected')", name="status"),
        _of_customer("reviews_customer"),
        sa.Index("reviews_one_open", "partner_id", "customer_id", unique=True, postgresql_where=sa.text("status = 'open'")),
        sa.Index("reviews_open", "opened_at", "id", postgresql_where=sa.text("status = 'open'")),
    )
