"""Second factors: who has one, and which partners require one of their users and of those below."""

import sqlalchemy as sa
from alembic import op

from chassis.database import schema

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    if schema.service() == "customers":
        return
    op.add_column("access_users", sa.Column("second_factor", sa.Boolean, nullable=False, server_default=sa.false()))
    for name in ("second_factor", "second_factor_below"):
        op.add_column("access_partners", sa.Column(name, sa.Text, nullable=False, server_default="optional"))
    schema.second_factor_door("access_partners")
