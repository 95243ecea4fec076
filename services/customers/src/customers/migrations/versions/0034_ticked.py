"""Who accepted the licence terms in a draft, and when: whoever sends it may be somebody else."""

import sqlalchemy as sa

from chassis.database import schema

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    when = sa.Column("eula_at", sa.DateTime(timezone=True))
    schema.extend("customer_drafts", sa.Column("eula_by", sa.Uuid), when)
