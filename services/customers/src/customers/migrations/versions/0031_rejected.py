"""Why a customer was rejected in review: until an operator takes that back, its partner does not enable it."""

import sqlalchemy as sa

from chassis.database import schema

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    schema.extend("customers", sa.Column("rejected_for", sa.Text), portal="id", withheld=("rejected_for",))
