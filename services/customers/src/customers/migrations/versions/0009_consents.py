"""Consents, the ledger of how they came to be, and the policy on both."""

import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from chassis.database import schema

revision = "0009"
down_revision = "0008"

_POLICY = {"request_expires": "P90D", "console_launch": "management_type", "console_launch_lasts": "P90D"}
_KINDS = "('import', 'management_change', 'console_launch', 'communications')"
_STATES = "('requested', 'granted', 'declined', 'expired', 'revoked', 'superseded')"


def _owned(*columns: sa.schema.SchemaItem) -> tuple[sa.schema.SchemaItem, ...]:
    return (sa.Column("partner_id", sa.Uuid, primary_key=True), sa.Column("id", sa.Uuid, primary_key=True), *columns)


def _at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _of_customer(name: str, column: str = "customer_id") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["partner_id", column], ["customers.partner_id", "customers.id"], name=name, onupdate="CASCADE", ondelete="CASCADE"
    )


def _terms() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("scope", JSONB, nullable=False),
        sa.Column("asked_by_partner_id", sa.Uuid, nullable=False),
        sa.Column("asked_by", sa.Uuid),
        _at("asked_at"),
        _at("expires_at", nullable=True),
    )


def upgrade() -> None:
    _consents()
    _ledger()
    first = sa.text("insert into policies (kind, version, document) values ('consent', 1, cast(:document as jsonb))")
    op.execute(first.bindparams(document=json.dumps(_POLICY)))


def _consents() -> None:
    schema.create(
        "tenant",
        "consents",
        *_owned(
            sa.Column("version", sa.BigInteger, nullable=False),
            sa.Column("customer_id", sa.Uuid, nullable=False),
            *_terms(),
            _at("settled_at", nullable=True),
            sa.CheckConstraint(f"kind in {_KINDS}", name="kind"),
            sa.CheckConstraint(f"state in {_STATES}", name="state"),
            _of_customer("consents_customer"),
            sa.Index("consents_of_customer", "partner_id", "customer_id", "asked_at", "id"),
            sa.Index(
                "consents_one_open",
                "customer_id",
                "kind",
                "asked_by_partner_id",
                unique=True,
                postgresql_where=sa.text("state = 'requested'"),
            ),
            sa.Index("consents_id", "id", unique=True),
        ),
        portal="customer_id",
    )
    schema.door_function(
        "find_consent(consent uuid)",
        "table (partner_id uuid, customer_id uuid, company text, asked_by_name text)",
        """select c.partner_id, c.customer_id, u.name, p.name from consents c
             join customers u on u.partner_id = c.partner_id and u.id = c.customer_id
             join partners p on p.id = c.asked_by_partner_id
            where c.id = consent""",
    )


def _ledger() -> None:
    """Entries are added and never changed; that a customer goes, or goes elsewhere, is the owner's cascade."""
    schema.create(
        "tenant",
        "consent_entries",
        *_owned(
            sa.Column("customer_id", sa.Uuid, nullable=False),
            sa.Column("number", sa.BigInteger, nullable=False),
            sa.Column("consent_id", sa.Uuid, nullable=False),
            *_terms(),
            _at("at"),
            sa.Column("evidence", JSONB, nullable=False),
            sa.Column("hash", sa.LargeBinary, nullable=False),
            sa.UniqueConstraint("customer_id", "number", name="consent_entries_chain"),
            _of_customer("consent_entries_customer"),
        ),
    )
    schema.create(
        "tenant",
        "consent_heads",
        *_owned(
            sa.Column("number", sa.BigInteger, nullable=False),
            sa.Column("hash", sa.LargeBinary, nullable=False),
            _of_customer("consent_heads_customer", "id"),
        ),
    )
    running = ", ".join(f"{schema.service()}_{role}" for role in ("partner", "worker"))
    op.execute(f"revoke update, delete on consent_entries from {running}")
    op.execute(f"revoke delete on consent_heads from {running}")
