"""Beats: rows of the outbox for every partition, when each partition's was last heard, and what requests may know of it.

The access group may follow more than what says who may do what; only those topics are beaten each second.
"""

import sqlalchemy as sa
from alembic import op

from chassis.database import schema
from contracts import beats

revision = "0005"
down_revision = "0004"

_BEATEN = " or ".join(f"p.topic like '%{topic}'" for topic in sorted(beats.ACCESS))


def upgrade() -> None:
    op.alter_column("outbox", "partition_key", nullable=True)
    op.add_column("progress", sa.Column("beat_at", sa.DateTime(timezone=True)))
    schema.door_function(
        "access_heard()",
        "table (beat_at timestamptz, as_of timestamptz)",
        f"""select case when count(p.beat_at) filter (where {_BEATEN}) = count(*) filter (where {_BEATEN})
                        then min(p.beat_at) filter (where {_BEATEN}) end,
                   case when count(p.as_of) = count(*) then min(p.as_of) end
              from progress p where p.consumer = '{schema.service()}.access'""",  # noqa: S608 (made of constants)
    )
