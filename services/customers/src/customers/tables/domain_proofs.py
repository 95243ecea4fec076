"""Proofs that domains are their partners': what was to be put into the DNS, and what the last look-up found."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import Base, TenantRow, Versioned


class DomainProof(TenantRow, Versioned, Base):
    """``problem`` is the code of what the last look-up found wrong, ``failures`` how many repeated ones did in a row."""

    __tablename__ = "domain_proofs"
    __table_args__ = (
        UniqueConstraint("partner_id", "connection_id", "domain", name="domain_proofs_one_per_domain"),
        CheckConstraint("state in ('asked', 'verified', 'failed')", name="state"),
        CheckConstraint("(state = 'verified') = (verified_at is not null)", name="verified_at"),
        ForeignKeyConstraint(
            ["partner_id", "connection_id"],
            ["sso_connections.partner_id", "sso_connections.id"],
            name="domain_proofs_connection",
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
    )

    connection_id: Mapped[UUID]
    domain: Mapped[str]
    record_value: Mapped[str]
    state: Mapped[str]
    asked_at: Mapped[datetime]
    checked_at: Mapped[datetime | None]
    verified_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    problem: Mapped[str | None]
    failures: Mapped[int] = mapped_column(default=0)
