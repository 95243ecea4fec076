"""Houses."""

import sqlalchemy as sa

from chassis.database import schema

revision = "0001"
down_revision = None


def upgrade() -> None:
    schema.create(
        "tenant",
        "houses",
        sa.Column("partner_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("customer_id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.UniqueConstraint("id"),
        portal="customer_id",
    )
