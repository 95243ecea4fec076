"""The stages of customers' off-boarding that are still to come, so that they are announced."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from chassis.database import schema

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    schema.extend("customers", sa.Column("stages", JSONB, nullable=False, server_default=sa.text("'[]'")))
