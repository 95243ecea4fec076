"""How customers are managed, and which welcomes still await their copies.

A customer that was told before is taken for co-managed, which holds nothing back, until it is told again.
"""

import sqlalchemy as sa
from alembic import op

from chassis.database import schema

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("customers", sa.Column("management_type", sa.Text, nullable=False, server_default="co_managed"))
    op.alter_column("customers", "management_type", server_default=None)
    op.add_column("mails", sa.Column("awaits_copies", sa.Boolean, nullable=False, server_default="false"))
    op.execute(
        "update mails set awaits_copies = true where template = 'welcome' and recipient = 'customer'"
        " and exists (select from due where due.kind = 'mail.welcome_copy' and due.slot = mails.occasion_id::text)"
    )
    op.create_index("mails_by_state", "mails", ["partner_id", "state", "id"])
    op.create_index("mails_without_copies", "mails", ["partner_id"], postgresql_where=sa.text("awaits_copies"))
    _show("customers", "status communications_mode company first_admin_id first_admin_email welcome_link_id management_type")
    _show(
        "mails",
        "customer_id template recipient occasion_id user_id address language state attempts message_id subject reason"
        " created_at settled_at awaits_copies",
    )


def _show(table: str, columns: str) -> None:
    schema.read_views(table, ["partner_id", "id", "version", *columns.split()])
