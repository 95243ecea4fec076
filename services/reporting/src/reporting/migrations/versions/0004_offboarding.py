"""The timeline of a customer is found by the customer alone: it moves, and goes."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_index("timeline_by_customer", "timeline", ["customer_id"])
