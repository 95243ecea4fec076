"""Moves of customers to other partners, which services that still serve them answer first (MKT-02)."""

import sqlalchemy as sa

from chassis.database import schema

revision = "0027"
down_revision = "0026"


def _at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    schema.extend("customers", sa.Column("moving_to", sa.Uuid), portal="id", withheld=("moving_to",))
    schema.create(
        "tenant",
        "moves",
        sa.Column("partner_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("to_partner_id", sa.Uuid, nullable=False),
        _at("asked_at"),
        sa.Column("asked_version", sa.BigInteger, nullable=False),
        _at("until"),
        sa.Column("job_id", sa.Uuid, nullable=False),
        _at("ended_at", nullable=True),
        sa.Column("code", sa.Text),
        sa.CheckConstraint("status in ('asked', 'moved', 'called_off')", name="status"),
        sa.CheckConstraint("(status = 'asked') = (ended_at is null)", name="over_has_a_time"),
    )
    schema.create(
        "tenant",
        "releases",
        sa.Column("partner_id", sa.Uuid, primary_key=True),
        sa.Column("customer_id", sa.Uuid, primary_key=True),
        sa.Column("service", sa.Text, primary_key=True),
        _at("answered_at"),
        sa.ForeignKeyConstraint(["partner_id", "customer_id"], ["moves.partner_id", "moves.id"], name="releases_move", ondelete="CASCADE"),
    )
