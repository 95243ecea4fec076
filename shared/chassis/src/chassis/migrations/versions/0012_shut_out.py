"""Whether a customer has closed itself to those above."""

import sqlalchemy as sa
from alembic import op

from chassis.database import schema

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    if schema.service() != "customers":
        op.add_column("access_customers", sa.Column("shut_out", sa.Boolean, nullable=False, server_default="false"))
