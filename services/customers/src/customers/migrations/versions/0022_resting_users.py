"""What a disabled user was before: whoever had set no password yet is invited again when it is enabled."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.add_column("users", sa.Column("disabled_from", sa.Text))
