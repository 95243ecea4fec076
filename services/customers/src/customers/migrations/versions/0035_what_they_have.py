"""Of which product an offer is and how often that is tried; and by which offer a customer has what it has."""

import sqlalchemy as sa
from alembic import op

from chassis.database import schema

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    op.add_column("offers", sa.Column("product", sa.Text))
    op.add_column("offers", sa.Column("trials_per_product", sa.BigInteger))
    schema.extend("subscriptions", sa.Column("offer", sa.Text))
