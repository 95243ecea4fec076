"""How customers go: what they still have, their deletions, what was erased of them, planned stages, and the policy on all that."""

import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from chassis.database import schema

revision = "0014"
down_revision = "0013"

_POLICY = {
    "preconditions": ["no_active_subscriptions", "no_pending_orders", "no_unbilled_usage"],
    "partner_owned_licences": "now",
    "retention": "P30D",
    "purge": "irreversible",
    "disable_after": "P10D",
    "delete_after": "P30D",
    "notices": ["P3D", "P1D"],
    "disable_checklist": ["Tell the customer's contact when its access ends"],
    "delete_checklist": ["Remove all products", "Hand the customer what it has to keep"],
}


def _key() -> tuple[sa.Column[object], sa.Column[object]]:
    return sa.Column("partner_id", sa.Uuid, primary_key=True), sa.Column("id", sa.Uuid, primary_key=True)


def _version(name: str = "version", *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    schema.create(
        "tenant",
        "subscriptions",
        *_key(),
        _version(),
        sa.Column("customer_id", sa.Uuid, nullable=False),
        _text("product"),
        _text("status"),
        sa.Column("partner_owned", sa.Boolean, nullable=False),
        sa.Index("subscriptions_id", "id", unique=True),
        sa.Index("subscriptions_of_customer", "partner_id", "customer_id"),
    )
    _deletions()
    _stages()
    first = sa.text("insert into policies (kind, version, document) values ('offboarding', 1, cast(:document as jsonb))")
    op.execute(first.bindparams(document=json.dumps(_POLICY)))


def _deletions() -> None:
    schema.create(
        "tenant",
        "deletions",
        *_key(),
        _version(),
        _text("status"),
        _text("was"),
        sa.Column("asked_by", sa.Uuid),
        _at("asked_at"),
        _version("asked_version"),
        _version("policy_version"),
        sa.Column("job_id", sa.Uuid),
        sa.Column("in_the_way", JSONB, nullable=False),
        _at("deleted_at", nullable=True),
        _at("recoverable_until", nullable=True),
        _at("purged_at", nullable=True),
        _version("purged_version", nullable=True),
        sa.Column("user_ids", ARRAY(sa.Uuid), nullable=False),
        sa.CheckConstraint("status in ('asked', 'blocked', 'withdrawn', 'deleted', 'restored', 'purging', 'purged')", name="status"),
        sa.CheckConstraint("(status in ('purging', 'purged')) = (purged_version is not null)", name="purged_has_a_version"),
        sa.Index("deletions_by_time", "partner_id", "asked_at", "id"),
    )
    schema.create(
        "tenant",
        "erasures",
        sa.Column("partner_id", sa.Uuid, primary_key=True),
        sa.Column("customer_id", sa.Uuid, primary_key=True),
        sa.Column("service", sa.Text, primary_key=True),
        sa.Column("counts", JSONB, nullable=False),
        _at("answered_at"),
        sa.ForeignKeyConstraint(
            ["partner_id", "customer_id"], ["deletions.partner_id", "deletions.id"], name="erasures_deletion", ondelete="CASCADE"
        ),
    )


def _stages() -> None:
    schema.create(
        "tenant",
        "stages",
        *_key(),
        _version(),
        sa.Column("customer_id", sa.Uuid, nullable=False),
        _text("verb"),
        _text("status"),
        _at("at"),
        sa.Column("notices", ARRAY(sa.Text), nullable=False),
        sa.Column("checklist", JSONB, nullable=False),
        sa.Column("planned_by", sa.Uuid, nullable=False),
        _text("refused_with", nullable=True),
        _at("updated_at"),
        sa.CheckConstraint("verb in ('disable', 'delete')", name="verb"),
        sa.CheckConstraint("status in ('planned', 'held', 'done', 'stopped', 'refused')", name="status"),
        sa.ForeignKeyConstraint(
            ["partner_id", "customer_id"],
            ["customers.partner_id", "customers.id"],
            name="stages_customer",
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        sa.Index(
            "stages_one_open",
            "partner_id",
            "customer_id",
            "verb",
            unique=True,
            postgresql_where=sa.text("status in ('planned', 'held')"),
        ),
        sa.Index("stages_by_time", "partner_id", "at", "id"),
    )
