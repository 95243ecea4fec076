"""What a partner chose that its new roles give; and a customer's recorded rights found by it alone, whichever partners it had."""

import sqlalchemy as sa
from alembic import op

from chassis.database import schema

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    schema.create(
        "tenant",
        "role_defaults",
        sa.Column("partner_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("access", sa.Text),
        sa.CheckConstraint("partner_id = id", name="of_the_partner"),
        sa.CheckConstraint("access in ('none', 'read_write')", name="access"),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name="role_defaults_partner"),
    )
    op.create_index("rights_history_subject", "rights_history", ["subject"])
