"""Mails to contacts, who need be no users, in the name of the partner that asks them."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from chassis.database import schema

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    schema.extend("mails", sa.Column("reader", sa.Text), sa.Column("in_name_of", sa.Uuid), sa.Column("about", JSONB))
