"""The overviews of customers and subscriptions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from chassis.database import schema

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("create extension if not exists pg_trgm")
    op.execute("create extension if not exists btree_gin")
    _subscriptions()
    _customers()


def _text(name: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=null)


def _instant(name: str, *, null: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=null)


def _subscriptions() -> None:
    schema.create(
        "tenant",
        "subscription_overview",
        sa.Column("partner_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("customer_id", sa.Uuid, nullable=False),
        _text("product"),
        _text("product_type"),
        _text("kind"),
        _text("status"),
        sa.Column("seats_used", sa.BigInteger, nullable=False),
        sa.Column("seats_bought", sa.BigInteger, nullable=False),
        _instant("trial_ends_at", null=True),
        _instant("term_end", null=True),
        sa.UniqueConstraint("id", name="subscription_overview_one_partner"),
        sa.Index("subscription_overview_customer", "partner_id", "customer_id"),
        portal="customer_id",
    )


def _customers() -> None:
    schema.create(
        "tenant",
        "customer_overview",
        sa.Column("partner_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        _text("name"),
        sa.Column("name_key", sa.Text(collation="C"), nullable=False),
        _text("status"),
        _text("management_type"),
        _text("communications_mode"),
        _text("contact_name"),
        _text("contact_email"),
        _text("contact_phone", null=True),
        _text("domain"),
        _text("city"),
        _text("country"),
        sa.Column("tags", ARRAY(sa.Text), nullable=False),
        _instant("created_at"),
        sa.Column("products", JSONB, nullable=False, server_default="[]"),
        sa.Column("expired_trials", JSONB, nullable=False, server_default="[]"),
        sa.Column("trials", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("paid", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("seats_all_used", sa.Boolean, nullable=False, server_default="false"),
        sa.Column("next_trial_end", sa.DateTime(timezone=True), nullable=False, server_default="9999-01-01 00:00:00+00"),
        sa.Column(
            "unsettled",
            sa.Boolean,
            sa.Computed("status = 'pending_review' or seats_all_used or expired_trials <> '[]'::jsonb", persisted=True),
            nullable=False,
        ),
        sa.UniqueConstraint("id", name="customer_overview_one_partner"),
        *_customer_indexes(),
        portal="id",
    )


def _customer_indexes() -> tuple[sa.Index, ...]:
    return (
        sa.Index("customer_overview_name", "partner_id", "name_key", "id"),
        sa.Index("customer_overview_type", "partner_id", "management_type", "name_key", "id"),
        sa.Index("customer_overview_created", "partner_id", "created_at", "id"),
        sa.Index("customer_overview_trial_end", "partner_id", "next_trial_end", "id"),
        sa.Index("customer_overview_unsettled", "partner_id", "id", postgresql_where=sa.text("unsettled")),
        sa.Index("customer_overview_search", "partner_id", "name_key", postgresql_using="gin", postgresql_ops={"name_key": "gin_trgm_ops"}),
        sa.Index(
            "customer_overview_products", "partner_id", "products", postgresql_using="gin", postgresql_ops={"products": "jsonb_path_ops"}
        ),
    )
