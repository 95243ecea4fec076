"""In which region users of a customer, console sessions at it and its purge are: what is told of them says so (MKT-03)."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"

_OF_CUSTOMER = {"users": "customer_id", "console_sessions": "customer_id", "deletions": "id"}


def upgrade() -> None:
    for table, customer in _OF_CUSTOMER.items():
        op.add_column(table, sa.Column("data_region", sa.Text, nullable=False, server_default="default"))
        theirs = f"c.partner_id = {table}.partner_id and c.id = {table}.{customer}"
        op.execute(f"update {table} set data_region = c.data_region from customers c where {theirs}")  # noqa: S608 (constants)
