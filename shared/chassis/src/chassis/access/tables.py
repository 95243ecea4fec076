"""The access projection: partners, users, roles and customers as far as rights depend on them.

In the service that owns them these names are views over its own tables; everywhere else they
are tables that follow the state topics.
"""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Table, Text, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from chassis.database.tables import Base


def _access(name: str, *columns: Column[object]) -> Table:
    return Table(
        name,
        Base.metadata,
        Column("partner_id", Uuid, primary_key=True),
        Column("id", Uuid, primary_key=True),
        Column("version", BigInteger, nullable=False),
        *columns,
        UniqueConstraint("id"),
    )


partners: Final = _access(
    "access_partners",
    Column("ancestors", ARRAY(Uuid), nullable=False),
    Column("status", Text, nullable=False),
    Column("shut_out", Boolean, nullable=False),
    Column("second_factor", Text, nullable=False),
    Column("second_factor_below", Text, nullable=False),
)
users: Final = _access(
    "access_users",
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("gen", BigInteger, nullable=False),
    Column("customer_id", Uuid),
    Column("role_ids", ARRAY(Uuid), nullable=False),
    Column("second_factor", Boolean, nullable=False),
    Column("scopes", ARRAY(Text)),
)
roles: Final = _access(
    "access_roles",
    Column("permissions", ARRAY(Text), nullable=False),
    Column("all_customers", Text),
    Column("default_level", Text, nullable=False),
    Column("customers", JSONB, nullable=False),
    Column("tags", JSONB, nullable=False),
)
customers: Final = _access(
    "access_customers",
    Column("status", Text, nullable=False),
    Column("management_type", Text, nullable=False),
    Column("tags", ARRAY(Text), nullable=False),
    Column("shut_out", Boolean, nullable=False, server_default="false"),
)
