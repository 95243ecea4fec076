"""Beats: rows of the outbox for every partition, when each partition's was last heard, and what requests may know of it."""

import sqlalchemy as sa
from alembic import op

from chassis.database import schema

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.alter_column("outbox", "partition_key", nullable=True)
    op.add_column("progress", sa.Column("beat_at", sa.DateTime(timezone=True)))
    schema.door_function(
        "access_heard()",
        "table (beat_at timestamptz, as_of timestamptz)",
        f"""select case when count(p.beat_at) = count(*) then min(p.beat_at) end,
                   case when count(p.as_of) = count(*) then min(p.as_of) end
              from progress p where p.consumer = '{schema.service()}.access'""",
    )
