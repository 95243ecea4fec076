"""The history of subscriptions; it begins with how they stand, since when their present terms have held."""

import sqlalchemy as sa
from alembic import op

from chassis.database import schema

revision = "0007"
down_revision = "0006"

_KEPT = (
    "serial_number, offer, product, product_type, status, seats_bought, seats_used, zone, started_at, trial_ends_at,"
    " term_start, term_end, auto_renew"
)


def _at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def upgrade() -> None:
    schema.create(
        "tenant",
        "subscription_moments",
        sa.Column("partner_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.BigInteger, primary_key=True),
        sa.Column("customer_id", sa.Uuid, nullable=False),
        _at("at"),
        *(_text(name) for name in ("serial_number", "offer", "product", "product_type", "status")),
        sa.Column("seats_bought", sa.Integer, nullable=False),
        sa.Column("seats_used", sa.Integer, nullable=False),
        _text("zone"),
        _at("started_at"),
        *(_at(name, nullable=True) for name in ("trial_ends_at", "term_start", "term_end")),
        sa.Column("auto_renew", sa.Boolean, nullable=False),
        sa.Index("subscription_moments_of_a_customer", "partner_id", "customer_id", "id", "version"),
        sa.Index("subscription_moments_by_customer", "customer_id"),
        portal="customer_id",
        withheld=("offer",),
    )
    op.execute(
        f"insert into subscription_moments (partner_id, id, version, customer_id, at, {_KEPT})"  # noqa: S608 (columns)
        f" select partner_id, id, version, customer_id, coalesce(term_start, started_at), {_KEPT}"
        " from subscriptions where forgotten_at is null"
    )
