"""The catalogue: offers and their versions, policy documents, serial numbers; and programmes."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from chassis.database import schema

revision = "0001"
down_revision = None

_SHIPPED = {
    "capabilities": {
        "actions": {
            "set_up_trial": {"none": "yes", "service_provider": "yes", "rule": "LIC-06"},
            "set_up_paid": {"none": "no", "service_provider": "yes", "rule": "CUS-17"},
            "monitor": {"none": "yes", "service_provider": "yes", "rule": "LIC-06"},
            "convert_trial": {"none": "no", "service_provider": "yes", "rule": "C-7"},
            "manage": {"none": "yes", "service_provider": "yes", "rule": "LIC-06"},
        }
    },
    "rating": {"convention": "day_actual", "rounding": "multiply_then_round"},
}


def upgrade() -> None:
    _offers()
    _policies()
    _programmes()
    _serials()


def _at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _offers() -> None:
    schema.create(
        "shared",
        "offers",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("offer_version", sa.BigInteger, nullable=False),
        sa.Column("product", sa.Text, nullable=False),
        sa.Column("product_type", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("trial", JSONB),
        sa.Column("price", JSONB),
        sa.Column("auto_renew_default", sa.Boolean, nullable=False),
        sa.UniqueConstraint("code", name="offers_code_once"),
        sa.CheckConstraint("status in ('on_sale', 'withdrawn')", name="status_known"),
    )
    schema.create(
        "shared",
        "offer_versions",
        sa.Column("offer_id", sa.Uuid, primary_key=True),
        sa.Column("offer_version", sa.BigInteger, primary_key=True),
        sa.Column("document", JSONB, nullable=False),
        _at("published_at"),
    )
    op.create_foreign_key("offer_versions_of_an_offer", "offer_versions", "offers", ["offer_id"], ["id"])
    _freeze("offer_versions", "operator", "worker")


def _policies() -> None:
    schema.create(
        "shared",
        "policies",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("version", sa.BigInteger, primary_key=True),
        sa.Column("document", JSONB, nullable=False),
        _at("published_at"),
    )
    _freeze("policies", "operator", "worker")
    policies = sa.table("policies", sa.column("name"), sa.column("version"), sa.column("document", JSONB), sa.column("published_at"))
    shipped_at = datetime(2026, 1, 1, tzinfo=UTC)
    op.bulk_insert(
        policies, [{"name": name, "version": 1, "document": document, "published_at": shipped_at} for name, document in _SHIPPED.items()]
    )


def _programmes() -> None:
    schema.create(
        "tenant",
        "programmes",
        sa.Column("partner_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("serial_number", sa.Text, nullable=False),
        sa.Column("capabilities", ARRAY(sa.Text), nullable=False),
        _at("validated_at"),
        _at("activated_at", nullable=True),
        _at("ended_at", nullable=True),
        sa.CheckConstraint("kind in ('service_provider')", name="kind_known"),
        sa.CheckConstraint("status in ('validated', 'active', 'ended')", name="status_known"),
        sa.UniqueConstraint("partner_id", "serial_number", name="programmes_serial_once_per_partner"),
        sa.Index("programmes_serial_activated_once", "serial_number", unique=True, postgresql_where=sa.text("status <> 'validated'")),
        sa.Index("programmes_by_validation", "partner_id", "validated_at", "id"),
        sa.Index("programmes_one_active", "partner_id", "kind", unique=True, postgresql_where=sa.text("status = 'active'")),
    )


def _serials() -> None:
    schema.create(
        "shared",
        "serials",
        sa.Column("code", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("product", sa.Text),
        _at("loaded_at"),
        sa.CheckConstraint("kind in ('service_provider', 'product')", name="kind_known"),
        sa.CheckConstraint("(kind = 'product') = (product is not null)", name="product_named"),
    )
    op.execute(f"revoke select on serials from {schema.service()}_partner, {schema.service()}_portal")  # noqa: S608 (names of roles)


def _freeze(table: str, *roles: str) -> None:
    op.execute(f"revoke update, delete on {table} from {', '.join(f'{schema.service()}_{role}' for role in roles)}")
