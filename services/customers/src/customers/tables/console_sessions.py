"""Console sessions: who of a partner is, or was, at work in a customer's console, and by which consent."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import Base, TenantRow, Versioned

ENDERS = ("partner", "customer", "operator", "console", "rights", "reuse", "time")


class ConsoleSession(TenantRow, Versioned, Base):
    """``user_partner_id`` is the user's own partner, an ancestor's where it acts as this one.

    It is launched, then opened by the console that exchanges the code; ``expires_at`` is first the
    code's end, then the session's. ``data_region`` is the customer's.
    """

    __tablename__ = "console_sessions"
    __table_args__ = (
        CheckConstraint(f"ended_by in {ENDERS}", name="ended_by"),
        CheckConstraint("(ended_at is null) = (ended_by is null)", name="ended_by_somebody"),
        ForeignKeyConstraint(
            ["partner_id", "customer_id"],
            ["customers.partner_id", "customers.id"],
            name="console_sessions_customer",
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        Index("console_sessions_of_customer", "partner_id", "customer_id", "launched_at", "id"),
    )

    customer_id: Mapped[UUID]
    user_partner_id: Mapped[UUID]
    user_id: Mapped[UUID]
    user_name: Mapped[str]
    offer: Mapped[str | None]
    data_region: Mapped[str] = mapped_column(default="default", server_default="default")
    consent_id: Mapped[UUID | None]
    launched_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]
