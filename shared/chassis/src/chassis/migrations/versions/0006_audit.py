"""The audit: who did what, beside what it changed, and where each partner's chain ends."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSON

from chassis.database import schema

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    schema.create(
        "rail",
        "audit",
        sa.Column("partner_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("user_kind", sa.Text, nullable=False),
        sa.Column("user_partner_id", sa.Uuid, nullable=False),
        sa.Column("acting_as", sa.Uuid),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("code", sa.Text),
        sa.Column("subject_type", sa.Text),
        sa.Column("subject_id", sa.Uuid),
        sa.Column("customer_id", sa.Uuid),
        sa.Column("facts", ARRAY(sa.Text), nullable=False),
        sa.Column("fields", ARRAY(sa.Text), nullable=False),
        sa.Column("request_id", sa.Text),
        sa.Column("address", sa.Text),
        sa.Column("digest", sa.LargeBinary),
        sa.Column("number", sa.BigInteger),
        sa.Column("hash", sa.LargeBinary),
        sa.CheckConstraint("outcome in ('done', 'denied')", name="outcome"),
        sa.CheckConstraint("(number is null) = (hash is null)", name="sealed"),
        sa.Index("audit_chain", "partner_id", "number", unique=True),
        sa.Index("audit_unsealed", "partner_id", "id", postgresql_where=sa.text("number is null")),
        sa.Index("audit_of_customer", "customer_id", postgresql_where=sa.text("customer_id is not null")),
    )
    schema.create(
        "rail",
        "audit_values",
        sa.Column("partner_id", sa.Uuid, primary_key=True),
        sa.Column("audit_id", sa.Uuid, primary_key=True),
        sa.Column("salt", sa.LargeBinary, nullable=False),
        sa.Column("before", JSON, nullable=False),
        sa.Column("after", JSON, nullable=False),
    )
    schema.create(
        "rail",
        "audit_heads",
        sa.Column("partner_id", sa.Uuid, primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
    )
    _append_only()


def _append_only() -> None:
    """Requests put rows in; the worker seals them and erases values, and may change nothing else."""
    worker = f"{schema.service()}_worker"
    for table in ("audit", "audit_values"):
        schema.allow_insert(table)
    op.execute(f"revoke update, delete on audit, audit_values, audit_heads from {worker}")
    op.execute(f"grant update (number, hash) on audit to {worker}")
    op.execute(f"grant delete on audit_values to {worker}")
    op.execute(f"grant update on audit_heads to {worker}")
