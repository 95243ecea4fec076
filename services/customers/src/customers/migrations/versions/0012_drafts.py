"""Drafts of customers; what lists say of a denied party beside its name, and how far a rescreening has come."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from chassis.database import schema

revision = "0012"
down_revision = "0011"


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    _drafts()
    _screening()


def _drafts() -> None:
    schema.create(
        "tenant",
        "customer_drafts",
        sa.Column("partner_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        *(sa.Column(name, JSONB, nullable=False) for name in ("body", "problems", "warnings")),
        sa.Column("ready", sa.Boolean, nullable=False),
        sa.Column("customer_id", sa.Uuid),
        sa.Column("created_by", sa.Uuid, nullable=False),
        *map(_time, ("created_at", "updated_at", "expires_at")),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name="customer_drafts_partner"),
        sa.Index("customer_drafts_by_change", "partner_id", "updated_at", "id"),
        sa.Index("customer_drafts_expiry", "expires_at"),
    )


def _screening() -> None:
    op.add_column("screening_names", sa.Column("weak", sa.Boolean, nullable=False, server_default="false"))
    op.add_column("screening_names", sa.Column("entity_type", sa.Text))
    schema.create(
        "shared",
        "screening_runs",
        sa.Column("id", sa.Uuid, primary_key=True),
        _time("started_at"),
        sa.Column("partners", sa.BigInteger, nullable=False),
        sa.Column("partners_done", sa.BigInteger, nullable=False),
        sa.Column("customers", sa.BigInteger, nullable=False),
        sa.Column("found", sa.BigInteger, nullable=False),
        _time("ended_at", nullable=True),
        sa.Index("screening_runs_newest", "started_at"),
    )
