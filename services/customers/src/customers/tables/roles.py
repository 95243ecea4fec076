"""Roles: permissions, and levels of access to customers as a default plus exceptions; and what a partner chose for new ones."""

from typing import Any

from sqlalchemy import ARRAY, CheckConstraint, ForeignKeyConstraint, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import Base, TenantRow, Versioned


class Role(TenantRow, Versioned, Base):
    __tablename__ = "roles"
    __table_args__ = (
        UniqueConstraint("partner_id", "name", name="roles_one_per_name"),
        CheckConstraint("default_level in ('none', 'read', 'read_write')", name="default_level"),
        CheckConstraint("all_customers in ('none', 'read', 'read_write')", name="all_customers"),
        ForeignKeyConstraint(["partner_id"], ["partners.id"], name="roles_partner"),
    )

    name: Mapped[str]
    predefined: Mapped[bool]
    permissions: Mapped[list[str]] = mapped_column(ARRAY(Text))
    all_customers: Mapped[str | None]
    default_level: Mapped[str]
    customers: Mapped[dict[str, Any]]
    tags: Mapped[dict[str, Any]]


class RoleDefault(TenantRow, Base):
    """What new roles of a partner give; no ``access`` leaves it to the policy. ``version`` counts the choices."""

    __tablename__ = "role_defaults"
    __table_args__ = (
        CheckConstraint("partner_id = id", name="of_the_partner"),
        CheckConstraint("access in ('none', 'read_write')", name="access"),
        ForeignKeyConstraint(["partner_id"], ["partners.id"], name="role_defaults_partner"),
    )

    version: Mapped[int]
    access: Mapped[str | None]
