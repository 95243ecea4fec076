"""Connections to providers of single sign-on. The client's secret is behind the door, sealed; so are the domains that were confirmed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, ForeignKeyConstraint, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import Base, TenantRow, Versioned


class SsoConnection(TenantRow, Versioned, Base):
    """``domains`` are those that the partner asks for, ``verified`` those that count."""

    __tablename__ = "sso_connections"
    __table_args__ = (ForeignKeyConstraint(["partner_id"], ["partners.id"], name="sso_connections_partner"),)

    issuer: Mapped[str]
    client_id: Mapped[str]
    redirect_uri: Mapped[str]
    domains: Mapped[list[str]] = mapped_column(ARRAY(Text))
    verified: Mapped[list[str]] = mapped_column(ARRAY(Text))
    new_users: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    passwords_closed: Mapped[bool]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
