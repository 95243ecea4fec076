"""By which imports and drafts somebody asked for a customer that is purged: whatever names its people with one of them goes too."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from chassis.database import schema

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    schema.extend("deletions", sa.Column("request_ids", ARRAY(sa.Uuid), nullable=False, server_default="{}"))
