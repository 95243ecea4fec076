"""How far each consumer has come in time, and what requests may know of it."""

import sqlalchemy as sa

from chassis.database import schema

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    schema.create(
        "rail",
        "progress",
        sa.Column("consumer", sa.Text, primary_key=True),
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("partition", sa.Integer, primary_key=True),
        sa.Column("as_of", sa.DateTime(timezone=True)),
    )
    schema.view(
        "freshness",
        "select consumer, case when count(as_of) = count(*) then min(as_of) end as as_of from progress group by consumer",
        "partner",
        "portal",
        "operator",
    )
