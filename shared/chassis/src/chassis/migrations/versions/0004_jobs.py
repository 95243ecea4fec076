"""Jobs and their items."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from chassis.database import schema

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    schema.create(
        "tenant",
        "jobs",
        sa.Column("partner_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("params", JSONB, nullable=False),
        sa.Column("dry_run", sa.Boolean, nullable=False),
        sa.Column("total", sa.BigInteger, nullable=False),
        sa.Column("succeeded", sa.BigInteger, nullable=False),
        sa.Column("failed", sa.BigInteger, nullable=False),
        sa.Column("reason_code", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("defect", sa.Text),
        sa.Column("started_by", sa.Uuid, nullable=False),
        sa.Column("user_kind", sa.Text, nullable=False),
        sa.Column("user_partner_id", sa.Uuid, nullable=False),
        sa.Column("user_gen", sa.BigInteger, nullable=False),
        sa.Column("correlation_id", sa.Text),
        sa.Column("cancelled_by", sa.Uuid),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("status in ('queued', 'running', 'done', 'failed', 'cancelled')", name="status"),
        sa.CheckConstraint("succeeded + failed <= total", name="counts"),
        sa.Index("jobs_ended", "ended_at"),
    )
    schema.create(
        "tenant",
        "job_items",
        sa.Column("partner_id", sa.Uuid, primary_key=True),
        sa.Column("job_id", sa.Uuid, primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True),
        sa.Column("item_id", sa.Uuid, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("code", sa.Text),
        sa.Column("detail", sa.Text),
        sa.Column("remedy", sa.Text),
        sa.Column("rule", sa.Text),
        sa.CheckConstraint("status in ('waiting', 'done', 'failed')", name="status"),
        sa.ForeignKeyConstraint(
            ["partner_id", "job_id"], ["jobs.partner_id", "jobs.id"], name="job_items_job", onupdate="CASCADE", ondelete="CASCADE"
        ),
        sa.Index("job_items_by_status", "partner_id", "job_id", "status", "number"),
    )
