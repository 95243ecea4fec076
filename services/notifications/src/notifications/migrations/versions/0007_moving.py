"""Customers that are being moved to another partner: nobody there is written to until they have gone, or stay (MKT-02)."""

import sqlalchemy as sa

from chassis.database import schema

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    schema.extend("customers", sa.Column("moving", sa.Boolean, nullable=False, server_default="false"))
