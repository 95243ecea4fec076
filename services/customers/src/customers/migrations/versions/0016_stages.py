"""The stages of a customer's off-boarding that are still to come, as its state tells them."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from chassis.database import schema

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    coming = sa.Column("stages", JSONB, nullable=False, server_default=sa.text("'[]'"))
    schema.extend("customers", coming, portal="id", withheld=("stages",))
