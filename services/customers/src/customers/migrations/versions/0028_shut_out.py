"""Since when a customer, or a partner, has closed itself to those above (MKT-05)."""

import sqlalchemy as sa
from alembic import op

from chassis.database import schema

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    schema.extend("customers", sa.Column("shut_out_at", sa.DateTime(timezone=True)), portal="id")
    schema.extend("partners", sa.Column("shut_out_at", sa.DateTime(timezone=True)))
    op.execute("update partners set shut_out_at = updated_at where shut_out")
    columns = "partner_id, id, version, status, management_type, tags, shut_out_at is not null as shut_out"
    schema.access_view("access_customers", f"select {columns} from customers")  # noqa: S608 (constants)
