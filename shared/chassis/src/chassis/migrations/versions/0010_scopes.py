"""Scopes: which permissions of its roles an API key may use."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from chassis.database import schema

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    if schema.service() != "customers":
        op.add_column("access_users", sa.Column("scopes", ARRAY(sa.Text)))
