"""Bundles of many customers, and customers whose products were settled where they come from."""

import sqlalchemy as sa

from chassis.database import schema

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    schema.create(
        "tenant",
        "bundle_pieces",
        sa.Column("partner_id", sa.Uuid, primary_key=True),
        sa.Column("job_id", sa.Uuid, primary_key=True),
        sa.Column("customer_id", sa.Uuid, primary_key=True),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Index("bundle_pieces_by_customer", "customer_id"),
        sa.Index("bundle_pieces_made", "made_at"),
    )
    settled = sa.Column("products_settled", sa.Boolean, nullable=False, server_default=sa.false())
    schema.extend("customers", settled, portal="id")
