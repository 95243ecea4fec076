"""Changes of login addresses, as far as somebody is written to about them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from chassis.database import schema

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("users", sa.Column("email_change", JSONB))
    names = "partner_id id version customer_id kind status name language email role_ids email_change"
    schema.read_views("users", names.split())
