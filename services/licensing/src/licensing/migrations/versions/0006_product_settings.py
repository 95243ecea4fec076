"""Product settings: what products can be set by, templates, settings of customers, policies on their way, appliances and their firmware."""

import json
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from chassis.database import schema

revision = "0006"
down_revision = "0005"

_OFFERED = {"account_types": ["licensing_platform"], "management_types": ["partner_managed", "co_managed"], "rule": "CUS-64"}
_SHIPPED = {
    "bulk": {"customers": 500, "per_cent": 25, "always": 10},
    "capability_matrix": {"actions": dict.fromkeys(("assign_template", "deploy_policy", "update_firmware"), _OFFERED)},
}


def upgrade() -> None:
    schema.extend("served_customers", sa.Column("account_type", sa.Text, nullable=False, server_default="licensing_portal"))
    first = sa.text("insert into policies (name, version, document, published_at) values (:name, 1, cast(:document as jsonb), :at)")
    for name, document in _SHIPPED.items():
        op.execute(first.bindparams(name=name, document=json.dumps(document), at=datetime(2026, 1, 1, tzinfo=UTC)))
    _products()
    _templates()
    _settings()
    _deployments()
    _appliances()
    _updates()


def _of_a_customer(*columns: sa.schema.SchemaItem) -> tuple[sa.schema.SchemaItem, ...]:
    return (
        sa.Column("partner_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("customer_id", sa.Uuid, nullable=False),
        sa.Column("product", sa.Text, nullable=False),
        *columns,
    )


def _at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _products() -> None:
    schema.create(
        "shared",
        "products",
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        *(sa.Column(name, sa.Boolean, nullable=False) for name in ("templates", "policies", "firmware")),
        sa.Column("defaults", JSONB, nullable=False),
    )


def _templates() -> None:
    schema.create(
        "tenant",
        "product_templates",
        sa.Column("partner_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("product", "name", "name_key")),
        sa.Column("settings", JSONB, nullable=False),
        sa.Column("is_default", sa.Boolean, nullable=False),
        _at("created_at"),
        _at("updated_at"),
        sa.UniqueConstraint("partner_id", "product", "name_key", name="product_templates_name_once"),
        sa.Index("product_templates_one_default", "partner_id", "product", unique=True, postgresql_where=sa.text("is_default")),
        sa.Index("product_templates_by_name", "partner_id", "name_key", "id"),
    )


def _settings() -> None:
    schema.create(
        "tenant",
        "product_settings",
        *_of_a_customer(
            sa.Column("settings", JSONB, nullable=False),
            sa.Column("template_id", sa.Uuid),
            sa.Column("template_version", sa.BigInteger),
            sa.Column("template_name", sa.Text),
            _at("updated_at"),
            sa.UniqueConstraint("customer_id", "product", name="product_settings_once"),
            sa.Index("product_settings_of_a_customer", "partner_id", "customer_id", "product"),
        ),
        portal="customer_id",
        withheld={"template_id", "template_version", "template_name"},
    )


def _on_its_way(table: str, *columns: sa.schema.SchemaItem) -> tuple[sa.schema.SchemaItem, ...]:
    """What is asked of a product and ends: one open at a time, listed newest first."""
    return _of_a_customer(
        *columns,
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("detail", sa.Text),
        sa.Column("job_id", sa.Uuid, nullable=False),
        sa.Column("data_region", sa.Text, nullable=False),
        _at("requested_at"),
        _at("finished_at", nullable=True),
        sa.CheckConstraint("(status = 'requested') = (finished_at is null)", name="finished_has_a_time"),
        sa.Index(f"{table}_one_open", "customer_id", "product", unique=True, postgresql_where=sa.text("status = 'requested'")),
        sa.Index(f"{table}_newest", "partner_id", "requested_at", "id"),
        sa.Index(f"{table}_of_a_customer", "partner_id", "customer_id", "requested_at", "id"),
        sa.Index(f"{table}_of_a_job", "partner_id", "job_id", "requested_at", "id"),
        sa.Index(f"{table}_by_customer", "customer_id"),
    )


def _deployments() -> None:
    statuses = sa.CheckConstraint("status in ('requested', 'applied', 'failed', 'superseded', 'unanswered')", name="status_known")
    settings = sa.Column("settings", JSONB, nullable=False)
    schema.create("tenant", "policy_deployments", *_on_its_way("policy_deployments", settings, statuses), portal="customer_id")


def _appliances() -> None:
    schema.create(
        "tenant",
        "appliances",
        *_of_a_customer(
            sa.Column("endpoint_id", sa.Uuid, nullable=False),
            sa.Column("firmware_version", sa.Text),
            sa.Column("update_required", sa.Boolean, nullable=False),
            _at("reported_at"),
            sa.UniqueConstraint("customer_id", "endpoint_id", name="appliances_once"),
            sa.Index("appliances_of_a_customer", "partner_id", "customer_id", "product"),
        ),
        portal="customer_id",
    )


def _updates() -> None:
    statuses = sa.CheckConstraint("status in ('requested', 'updated', 'failed')", name="status_known")
    appliances = sa.Column("appliances", sa.BigInteger, nullable=False)
    schema.create("tenant", "firmware_updates", *_on_its_way("firmware_updates", appliances, statuses), portal="customer_id")
