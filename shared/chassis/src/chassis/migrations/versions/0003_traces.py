"""Due work remembers the trace of what planned it."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("due", sa.Column("traceparent", sa.Text))
