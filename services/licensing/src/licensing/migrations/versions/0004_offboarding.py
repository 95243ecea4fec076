"""Subscriptions that end with their partner, and those whose customer is purged; what is a customer's is found by the customer alone."""

import sqlalchemy as sa
from alembic import op

from chassis.database import schema

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    schema.extend(
        "subscriptions",
        sa.Column("partner_owned", sa.Boolean, nullable=False, server_default="false"),
        sa.Column("forgotten_at", sa.DateTime(timezone=True)),
        portal="customer_id",
    )
    op.execute(
        "update subscriptions set partner_owned = true where term_start is not null"
        " and not exists (select from serials where code = subscriptions.serial_number)"
    )
    op.create_index("subscriptions_by_customer", "subscriptions", ["customer_id"])
    op.create_index("eulas_by_customer", "eulas", ["customer_id"])
