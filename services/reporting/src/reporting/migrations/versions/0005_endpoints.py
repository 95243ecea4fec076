"""Endpoints and what was rejected, what they add up to for their customers, and the policy by which that needs attention."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from chassis.database import schema

revision = "0005"
down_revision = "0004"

_CRITICAL = ("endpoints_at_risk", "endpoints_unprotected", "trial_expired", "subscription_expired", "seats_exceeded")
_WARNING = (
    *("activation_required", "agent_updates", "definition_updates", "firmware_updates"),
    *("pending_review", "trial_ends_soon", "seats_all_used", "provisioning_rejected"),
)
_SHIPPED = {
    "attention": {
        "trial_ends_within": "P7D",
        "rejections_count_for": "P30D",
        "reasons": {
            **{reason: {"severity": "critical", "at_least": 1} for reason in _CRITICAL},
            **{reason: {"severity": "warning", "at_least": 1} for reason in _WARNING},
        },
    }
}
_COUNTS = ("endpoints_at_risk", "endpoints_disabled", "activations_required", "agent_updates", "definition_updates", "firmware_updates")


def upgrade() -> None:
    _homes()
    _endpoints()
    _rejections()
    _counted()
    _policies()


def _homes() -> None:
    schema.create(
        "tenant",
        "customer_homes",
        sa.Column("partner_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("forgotten", sa.Boolean, nullable=False, server_default="false"),
        sa.Index("customer_homes_customer", "id"),
    )
    op.execute("insert into customer_homes (partner_id, id) select partner_id, id from customer_overview")


def _endpoints() -> None:
    schema.create(
        "tenant",
        "endpoints",
        *_versioned(),
        sa.Column("endpoint_id", sa.Uuid, nullable=False),
        *(_text(name) for name in ("product", "kind", "protection")),
        *(_text(name, null=True) for name in ("name", "group_name", "agent_version", "firmware_version")),
        *(_flag(name) for name in ("agent_update_required", "definitions_update_required", "firmware_update_required", "deleted")),
        *(_count(name) for name in ("risks_blocked", "quarantined_items", "infected_items", "detections")),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deployed_at", sa.DateTime(timezone=True)),
        *_of_customers("endpoints"),
        portal="customer_id",
    )


def _rejections() -> None:
    schema.create(
        "tenant",
        "provisioning_rejections",
        *_versioned(),
        _text("offer"),
        _text("code"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *_of_customers("provisioning_rejections"),
    )


def _counted() -> None:
    schema.extend("subscription_overview", _text("offer", null=True), portal="customer_id")
    schema.extend(
        "customer_overview",
        sa.Column("expired_paid", JSONB, nullable=False, server_default="[]"),
        sa.Column("rejections", JSONB, nullable=False, server_default="[]"),
        sa.Column("last_rejected_at", sa.DateTime(timezone=True), nullable=False, server_default="0001-01-01 00:00:00+00"),
        sa.Column("seats_exceeded", sa.Boolean, nullable=False, server_default="false"),
        *(_count(name, server_default="0") for name in _COUNTS),
        portal="id",
    )
    something = "expired_trials <> '[]'::jsonb or expired_paid <> '[]'::jsonb or rejections <> '[]'::jsonb"
    op.execute(
        "alter table customer_overview alter column unsettled set expression as"
        f" (status = 'pending_review' or seats_all_used or seats_exceeded or {something} or {' + '.join(_COUNTS)} > 0)"
    )
    op.create_index("customer_overview_updates", "customer_overview", ["partner_id", "agent_updates", "name_key", "id"])


def _policies() -> None:
    schema.create(
        "shared",
        "policies",
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("version", sa.BigInteger, primary_key=True),
        sa.Column("document", JSONB, nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.execute(f"revoke update, delete on policies from {schema.service()}_operator, {schema.service()}_worker")
    policies = sa.table("policies", sa.column("kind"), sa.column("version"), sa.column("document", JSONB), sa.column("published_at"))
    shipped_at = datetime(2026, 1, 1, tzinfo=UTC)
    op.bulk_insert(
        policies, [{"kind": kind, "version": 1, "document": document, "published_at": shipped_at} for kind, document in _SHIPPED.items()]
    )


def _versioned() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("partner_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("customer_id", sa.Uuid, nullable=False),
    )


def _of_customers(name: str) -> tuple[sa.schema.SchemaItem, ...]:
    return (
        sa.UniqueConstraint("id", name=f"{name}_one_partner"),
        sa.Index(f"{name}_customer", "partner_id", "customer_id"),
        sa.Index(f"{name}_by_customer", "customer_id"),
    )


def _text(name: str, *, null: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Text, nullable=null)


def _flag(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Boolean, nullable=False)


def _count(name: str, *, server_default: str | None = None) -> sa.Column[object]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default=server_default)
