"""What workers may know and find: how fresh rights are, which due work fails, and which of them engaged a brake."""

import sqlalchemy as sa
from alembic import op

from chassis.database import schema

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute(f"grant usage on schema door to {schema.service()}_worker")
    op.execute(f"grant execute on function door.access_heard() to {schema.service()}_worker")
    op.create_index("due_failing", "due", ["kind"], postgresql_where=sa.text("attempts > 0"))
    op.add_column("brakes", sa.Column("slot", sa.Text))
