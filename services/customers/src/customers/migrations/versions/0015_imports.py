"""Imports, what a customer was asked to be managed as, and its own look at the ledger."""

import sqlalchemy as sa

from chassis.database import schema

revision = "0015"
down_revision = "0014"

_ENTRIES = """
partner_id id customer_id number consent_id kind state scope asked_by_partner_id asked_by asked_at expires_at at evidence hash
"""


def _at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    schema.extend("customers", sa.Column("management_wanted", sa.Text), _at("imported_at", nullable=True), portal="id")
    schema.read_views("consent_entries", _ENTRIES.split(), portal="customer_id")
    _imports()
    _doors()


def _imports() -> None:
    schema.create(
        "tenant",
        "imports",
        sa.Column("partner_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("email_key", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("management_type", sa.Text),
        sa.Column("customer_id", sa.Uuid),
        sa.Column("requested_by", sa.Uuid),
        _at("requested_at"),
        _at("updated_at"),
        _at("expires_at"),
        sa.CheckConstraint("status in ('requested', 'imported', 'declined', 'expired')", name="status"),
        sa.CheckConstraint("(status = 'imported') = (customer_id is not null)", name="imported_names_its_customer"),
        sa.Index("imports_one_open", "partner_id", "email_key", unique=True, postgresql_where=sa.text("status = 'requested'")),
        sa.Index("imports_newest", "partner_id", "requested_at", "id"),
    )


def _doors() -> None:
    """Whose account an address is: anybody's for the worker, who tells nobody; only a partner's own for that partner."""
    schema.door_function(
        "find_account(address text)",
        "table (partner_id uuid, customer_id uuid)",
        "select l.partner_id, l.customer_id from logins l where l.email_key = address and l.customer_id is not null",
        to=("worker",),
    )
    schema.door_function(
        "own_account(address text)",
        "uuid",
        "select l.customer_id from logins l"  # noqa: S608 (the tenant's condition)
        f" where l.email_key = address and l.customer_id is not null and l.partner_id = {schema.TENANT}",
        to=("partner",),
    )
