"""Consents: what each customer was asked for and how it stands, and the ledger of how it came to that (BEY-14).

The ledger is one chain per customer and only grows: request roles may add to it and change
nothing. It moves with its customer, so no entry says whose row it is now, only who asked.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import Base, TenantRow, Versioned

KINDS = ("import", "management_change", "console_launch", "communications")
STATES = ("requested", "granted", "declined", "expired", "revoked", "superseded")


def _of_customer(name: str, column: str = "customer_id") -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["partner_id", column], ["customers.partner_id", "customers.id"], name=name, onupdate="CASCADE", ondelete="CASCADE"
    )


class Consent(TenantRow, Versioned, Base):
    """``expires_at`` is when the request ends unanswered; of a consent that was granted, when that ends, if ever."""

    __tablename__ = "consents"
    __table_args__ = (
        CheckConstraint(f"kind in {KINDS}", name="kind"),
        CheckConstraint(f"state in {STATES}", name="state"),
        _of_customer("consents_customer"),
        Index("consents_of_customer", "partner_id", "customer_id", "asked_at", "id"),
        Index(
            "consents_one_open",
            "customer_id",
            "kind",
            "asked_by_partner_id",
            unique=True,
            postgresql_where=text("state = 'requested'"),
        ),
        Index("consents_id", "id", unique=True),
    )

    customer_id: Mapped[UUID]
    kind: Mapped[str]
    state: Mapped[str]
    scope: Mapped[dict[str, Any]]
    asked_by_partner_id: Mapped[UUID]
    asked_by: Mapped[UUID | None]
    asked_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]


class ConsentEntry(TenantRow, Base):
    """``evidence`` says who made it: a user, the link and a hash of the address it was mailed to, or the time that was over."""

    __tablename__ = "consent_entries"
    __table_args__ = (
        UniqueConstraint("customer_id", "number", name="consent_entries_chain"),
        _of_customer("consent_entries_customer"),
    )

    customer_id: Mapped[UUID]
    number: Mapped[int]
    consent_id: Mapped[UUID]
    kind: Mapped[str]
    state: Mapped[str]
    scope: Mapped[dict[str, Any]]
    asked_by_partner_id: Mapped[UUID]
    asked_by: Mapped[UUID | None]
    asked_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    at: Mapped[datetime]
    evidence: Mapped[dict[str, Any]]
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class ConsentHead(TenantRow, Base):
    """Where a customer's chain ends; ``id`` is the customer's. Whoever adds an entry holds it."""

    __tablename__ = "consent_heads"
    __table_args__ = (_of_customer("consent_heads_customer", "id"),)

    number: Mapped[int]
    hash: Mapped[bytes] = mapped_column(LargeBinary)
