"""Rated lines say what they take over so that lines add up."""

import sqlalchemy as sa
from alembic import op

from chassis.database import schema

revision = "0003"
down_revision = "0002"

_LINE = """
    partner_id id customer_id subscription_id reason product offer offer_version currency unit_price quantity numerator denominator
    convention rounding_order unrounded_amount amount period_from period_to policy_versions corrects rated_at adjustment
"""


def upgrade() -> None:
    op.add_column("billing_lines", sa.Column("adjustment", sa.Numeric, nullable=False, server_default="0"))
    op.alter_column("billing_lines", "adjustment", server_default=None)
    schema.read_views("billing_lines", _LINE.split())
