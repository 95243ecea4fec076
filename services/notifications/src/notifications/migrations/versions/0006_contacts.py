"""The contacts of customers, for mails that are neither a question nor for signing in.

Of a customer that was told before there is none until it is told again.
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from chassis.database import schema

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    schema.extend("customers", sa.Column("contact", JSONB))
