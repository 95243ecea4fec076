"""What a row of the outbox was before it was parked, and which topics have parked rows: no beat may pass those."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("outbox", sa.Column("parked_from", sa.SmallInteger))
    op.create_index("outbox_parked_topic", "outbox", ["topic", "id"], postgresql_where=sa.text("lane = 3"))
