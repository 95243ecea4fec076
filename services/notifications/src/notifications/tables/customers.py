"""Customers, as far as mails go to them or speak of them. Follows ``customer.changed``."""

from typing import Any
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import Base, TenantRow


class Customer(TenantRow, Base):
    """``welcome_link_id`` is null where no welcome mail is wanted.

    The welcome goes to ``first_admin_email``, whatever is known of the user yet.
    ``contact`` has a name, an address and a language. ``stages`` are those of its off-boarding that are still to come.
    While it is ``moving`` to another partner nobody there is written to.
    """

    __tablename__ = "customers"
    __table_args__ = (UniqueConstraint("id", name="customers_id_key"),)

    version: Mapped[int]
    status: Mapped[str]
    management_type: Mapped[str]
    communications_mode: Mapped[str]
    company: Mapped[str]
    first_admin_id: Mapped[UUID]
    first_admin_email: Mapped[str]
    welcome_link_id: Mapped[UUID | None]
    contact: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    stages: Mapped[list[dict[str, Any]]] = mapped_column(default=list, server_default="[]")
    moving: Mapped[bool] = mapped_column(default=False, server_default="false")
