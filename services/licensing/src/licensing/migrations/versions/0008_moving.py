"""Customers that are being moved to another partner: nothing is told of them until they have gone, or stay (MKT-02)."""

import sqlalchemy as sa

from chassis.database import schema

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    schema.extend("served_customers", sa.Column("moving", sa.Boolean, nullable=False, server_default="false"))
