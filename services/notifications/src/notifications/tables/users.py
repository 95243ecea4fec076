"""Users, as far as they are mailed, and the roles that decide who gets a partner's mail.

They follow ``user.changed`` and ``role.changed``.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import Index, Text, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import Base, TenantRow


class User(TenantRow, Base):
    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("id", name="users_id_key"), Index("users_of_kind", "partner_id", "kind"))

    version: Mapped[int]
    customer_id: Mapped[UUID | None]
    kind: Mapped[str]
    status: Mapped[str]
    name: Mapped[str]
    email: Mapped[str | None]
    language: Mapped[str]
    role_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    email_change: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))


class Role(TenantRow, Base):
    __tablename__ = "roles"
    __table_args__ = (UniqueConstraint("id", name="roles_id_key"),)

    version: Mapped[int]
    predefined: Mapped[bool]
    permissions: Mapped[list[str]] = mapped_column(ARRAY(Text))
