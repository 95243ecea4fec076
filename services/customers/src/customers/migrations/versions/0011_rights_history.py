"""The history of who could do what; it begins with how things stand."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from chassis.database import schema

revision = "0011"
down_revision = "0010"

_BEGIN = "insert into rights_history (partner_id, subject, version, kind, at, state) select {whose}.partner_id, {whose}.id, {whose}.version"


def upgrade() -> None:
    schema.create(
        "tenant",
        "rights_history",
        sa.Column("partner_id", sa.Uuid, primary_key=True),
        sa.Column("subject", sa.Uuid, primary_key=True),
        sa.Column("version", sa.BigInteger, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", JSONB),
        sa.CheckConstraint("kind in ('user', 'role', 'customer')", name="kind"),
    )
    op.execute(
        f"{_BEGIN.format(whose='u')}, 'user', u.updated_at,"
        " jsonb_build_object('kind', u.kind, 'status', u.status, 'role_ids', u.role_ids) from users u where u.kind <> 'customer'"
    )
    op.execute(
        f"{_BEGIN.format(whose='r')}, 'role', p.registered_at, jsonb_build_object('name', r.name, 'permissions', r.permissions,"
        " 'all_customers', r.all_customers, 'default_level', r.default_level, 'customers', r.customers, 'tags', r.tags)"
        " from roles r join partners p on p.partner_id = r.partner_id and p.id = r.partner_id"
    )
    op.execute(f"{_BEGIN.format(whose='c')}, 'customer', c.created_at, jsonb_build_object('tags', c.tags) from customers c")
