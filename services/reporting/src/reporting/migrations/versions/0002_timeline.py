"""The timeline of customers."""

import sqlalchemy as sa

from chassis.database import schema

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    schema.create(
        "tenant",
        "timeline",
        sa.Column("partner_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("customer_id", sa.Uuid, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("subject", sa.Uuid, nullable=False),
        sa.Index("timeline_customer", "partner_id", "customer_id", "at", "id"),
        portal="customer_id",
    )
