"""Who is who: partners, roles, users."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from chassis.database import schema

revision = "0001"
down_revision = None


def _key() -> tuple[sa.Column[object], sa.Column[object]]:
    return sa.Column("partner_id", sa.Uuid, primary_key=True), sa.Column("id", sa.Uuid, primary_key=True)


def _text(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _access_view(table: str, columns: str) -> None:
    """What other services keep as a projection is here a view over the table itself."""
    schema.access_view(f"access_{table}", f"select {columns} from {table}")  # noqa: S608 (constants)


def upgrade() -> None:
    op.execute("create extension if not exists pg_trgm")
    op.execute("create extension if not exists btree_gin")
    _partners()
    _roles()
    _users()


def _partners() -> None:
    schema.create(
        "tenant",
        "partners",
        *_key(),
        sa.Column("version", sa.BigInteger, nullable=False),
        _text("name"),
        _text("name_key"),
        _text("country"),
        _text("status"),
        sa.Column("parent_id", sa.Uuid),
        sa.Column("ancestors", ARRAY(sa.Uuid), nullable=False),
        sa.Column("shut_out", sa.Boolean, nullable=False),
        sa.Column("sandbox", sa.Boolean, nullable=False),
        _text("language"),
        _text("time_zone"),
        sa.Column("support", JSONB, nullable=False),
        _time("registered_at"),
        _time("updated_at"),
        sa.UniqueConstraint("id", name="partners_id"),
        sa.CheckConstraint("partner_id = id", name="is_its_own_tenant"),
        sa.CheckConstraint("status in ('active', 'disabled')", name="status"),
        sa.ForeignKeyConstraint(["parent_id"], ["partners.id"], name="partners_parent"),
        sa.Index("partners_ancestors", "ancestors", postgresql_using="gin"),
        sa.Index("partners_by_name", "name_key", "id"),
    )
    _access_view("partners", "partner_id, id, version, ancestors, status, shut_out")
    columns = "partner_id, id, name, language, time_zone, support"
    schema.view("partners_portal", f"select {columns} from partners where partner_id = {schema.TENANT}", "portal")  # noqa: S608 (constants)


def _roles() -> None:
    schema.create(
        "tenant",
        "roles",
        *_key(),
        sa.Column("version", sa.BigInteger, nullable=False),
        _text("name"),
        sa.Column("predefined", sa.Boolean, nullable=False),
        sa.Column("permissions", ARRAY(sa.Text), nullable=False),
        _text("all_customers", nullable=True),
        _text("default_level"),
        sa.Column("customers", JSONB, nullable=False),
        sa.Column("tags", JSONB, nullable=False),
        sa.UniqueConstraint("partner_id", "name", name="roles_one_per_name"),
        sa.CheckConstraint("default_level in ('none', 'read', 'read_write')", name="default_level"),
        sa.CheckConstraint("all_customers in ('none', 'read', 'read_write')", name="all_customers"),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name="roles_partner"),
    )
    _access_view("roles", "partner_id, id, version, permissions, all_customers, default_level, customers, tags")


def _users() -> None:
    schema.create(
        "tenant",
        "users",
        *_key(),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("customer_id", sa.Uuid),
        _text("kind"),
        _text("status"),
        sa.Column("gen", sa.BigInteger, nullable=False),
        _text("name"),
        _text("email", nullable=True),
        _text("language"),
        sa.Column("role_ids", ARRAY(sa.Uuid), nullable=False),
        _time("created_at"),
        _time("updated_at"),
        sa.CheckConstraint("kind in ('operator', 'partner', 'customer', 'service')", name="kind"),
        sa.CheckConstraint("status in ('invited', 'active', 'disabled')", name="status"),
        sa.CheckConstraint("(kind = 'customer') = (customer_id is not null)", name="of_a_customer"),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name="users_partner"),
        sa.Index("users_by_creation", "partner_id", "created_at", "id"),
        sa.Index("users_of_customer", "partner_id", "customer_id"),
        portal="customer_id",
    )
    _access_view("users", "partner_id, id, version, kind, status, gen, customer_id, role_ids")
