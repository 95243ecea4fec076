"""Subscriptions and what surrounds them: customers served, provisionings, rated lines, previews, the door to serial numbers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from chassis.database import schema

revision = "0002"
down_revision = "0001"

_SERIAL = f"""
select s.kind, s.product,
       exists (select from programmes p
                where p.serial_number = s.code and p.status <> 'validated' and p.partner_id is distinct from {schema.TENANT})
       or exists (select from subscriptions u where u.serial_number = s.code)
  from serials s where s.code = wanted
"""  # noqa: S608 (the tenant's condition)


def upgrade() -> None:
    _customers()
    _subscriptions()
    _provisionings()
    _lines()
    _previews()
    _door()


def _owned(*columns: sa.schema.SchemaItem) -> tuple[sa.schema.SchemaItem, ...]:
    return (sa.Column("partner_id", sa.Uuid, primary_key=True), sa.Column("id", sa.Uuid, primary_key=True), *columns)


def _at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _of_a_subscription(table: str, name: str, options: str = "") -> None:
    op.execute(
        f"alter table {table} add constraint {name} foreign key (partner_id, subscription_id)"
        f" references subscriptions (partner_id, id) on update cascade {options}"
    )


def _customers() -> None:
    schema.create(
        "tenant",
        "served_customers",
        *_owned(
            sa.Column("version", sa.BigInteger, nullable=False),
            sa.Column("status", sa.Text, nullable=False),
            sa.Column("management_type", sa.Text, nullable=False),
            sa.Column("time_zone", sa.Text, nullable=False),
            sa.Column("data_region", sa.Text, nullable=False),
            sa.UniqueConstraint("id", name="served_customers_id_once"),
        ),
    )
    schema.create(
        "tenant",
        "eulas",
        *_owned(
            sa.Column("customer_id", sa.Uuid, nullable=False),
            sa.Column("eula_version", sa.Text, nullable=False),
            _at("accepted_at"),
            sa.Index("eulas_of_a_customer", "partner_id", "customer_id"),
        ),
    )


def _subscriptions() -> None:
    statuses = "('trial', 'paused', 'active', 'suspended', 'cancelling', 'cancelled', 'expired', 'terminated')"
    schema.create(
        "tenant",
        "subscriptions",
        *_owned(
            sa.Column("version", sa.BigInteger, nullable=False),
            sa.Column("customer_id", sa.Uuid, nullable=False),
            sa.Column("item", sa.BigInteger),
            sa.Column("serial_number", sa.Text, nullable=False),
            sa.Column("offer", sa.Text, nullable=False),
            sa.Column("offer_version", sa.BigInteger, nullable=False),
            sa.Column("product", sa.Text, nullable=False),
            sa.Column("product_type", sa.Text, nullable=False),
            sa.Column("status", sa.Text, nullable=False),
            sa.Column("seats_bought", sa.BigInteger, nullable=False),
            sa.Column("seats_used", sa.BigInteger, nullable=False),
            sa.Column("zone", sa.Text, nullable=False),
            sa.Column("data_region", sa.Text, nullable=False),
            _at("started_at"),
            sa.Column("trial_policy", JSONB),
            _at("trial_ends_at", nullable=True),
            sa.Column("last_notice", sa.Text),
            _at("term_start", nullable=True),
            _at("term_end", nullable=True),
            sa.Column("auto_renew", sa.Boolean, nullable=False),
            sa.Column("currency", sa.Text),
            sa.Column("unit_price", sa.Numeric(20, 6)),
            sa.Column("price_period", sa.Text),
            sa.Column("charge", sa.Text),
            sa.CheckConstraint(f"status in {statuses}", name="status_known"),
            sa.CheckConstraint("seats_used >= 0 and seats_used <= seats_bought", name="seats_within_bought"),
            sa.CheckConstraint("status <> 'trial' or (trial_policy is not null and trial_ends_at is not null)", name="trial_has_an_end"),
            sa.CheckConstraint("status <> 'active' or (term_start < term_end and unit_price is not null)", name="term_has_a_price"),
            sa.UniqueConstraint("serial_number", name="subscriptions_serial_once"),
            sa.Index("subscriptions_of_a_customer", "partner_id", "customer_id", "started_at", "id"),
            sa.Index("subscriptions_newest", "partner_id", "started_at", "id"),
        ),
        portal="customer_id",
        withheld=("offer", "offer_version", "trial_policy", "currency", "unit_price", "price_period", "charge"),
    )


def _provisionings() -> None:
    schema.create(
        "tenant",
        "provisionings",
        *_owned(
            sa.Column("customer_id", sa.Uuid, nullable=False),
            sa.Column("item", sa.BigInteger, nullable=False),
            sa.Column("offer", sa.Text, nullable=False),
            sa.Column("kind", sa.Text, nullable=False),
            sa.Column("quantity", sa.BigInteger),
            sa.Column("outcome", sa.Text, nullable=False),
            sa.Column("subscription_id", sa.Uuid),
            sa.Column("code", sa.Text),
            sa.Column("rule", sa.Text),
            sa.Column("policy_version", sa.Text),
            sa.Column("remedy", sa.Text),
            _at("decided_at"),
            sa.UniqueConstraint("customer_id", "item", name="provisionings_item_once"),
            sa.CheckConstraint("kind in ('trial', 'paid')", name="kind_known"),
            sa.CheckConstraint("outcome in ('given', 'rejected')", name="outcome_known"),
            sa.CheckConstraint("(outcome = 'given') = (subscription_id is not null)", name="given_names_its_subscription"),
            sa.CheckConstraint("(outcome = 'rejected') = (code is not null and rule is not null)", name="rejected_names_its_rule"),
        ),
    )
    _of_a_subscription("provisionings", "provisionings_gave_a_subscription", "deferrable initially deferred")


def _lines() -> None:
    schema.create(
        "tenant",
        "billing_lines",
        *_owned(
            sa.Column("customer_id", sa.Uuid, nullable=False),
            sa.Column("subscription_id", sa.Uuid, nullable=False),
            sa.Column("reason", sa.Text, nullable=False),
            sa.Column("product", sa.Text, nullable=False),
            sa.Column("offer", sa.Text, nullable=False),
            sa.Column("offer_version", sa.BigInteger, nullable=False),
            sa.Column("currency", sa.Text, nullable=False),
            sa.Column("unit_price", sa.Numeric(20, 6), nullable=False),
            sa.Column("quantity", sa.Numeric, nullable=False),
            sa.Column("numerator", sa.BigInteger, nullable=False),
            sa.Column("denominator", sa.BigInteger, nullable=False),
            sa.Column("convention", sa.Text, nullable=False),
            sa.Column("rounding_order", sa.Text, nullable=False),
            sa.Column("unrounded_amount", sa.Text, nullable=False),
            sa.Column("amount", sa.Numeric, nullable=False),
            sa.Column("period_from", sa.Date, nullable=False),
            sa.Column("period_to", sa.Date, nullable=False),
            sa.Column("policy_versions", JSONB, nullable=False),
            sa.Column("corrects", sa.Uuid),
            _at("rated_at"),
            sa.Index(
                "billing_lines_period_rated_once",
                "partner_id",
                "subscription_id",
                "period_from",
                "reason",
                unique=True,
                postgresql_where=sa.text("reason in ('first_period', 'conversion', 'period', 'renewal', 'usage', 'true_up')"),
            ),
            sa.Index("billing_lines_newest", "partner_id", "rated_at", "id"),
            sa.Index("billing_lines_of_a_customer", "partner_id", "customer_id", "rated_at", "id"),
        ),
    )
    _of_a_subscription("billing_lines", "billing_lines_of_a_subscription")
    op.execute(f"revoke update, delete on billing_lines from {schema.service()}_partner, {schema.service()}_worker")


def _previews() -> None:
    schema.create(
        "tenant",
        "previews",
        *_owned(
            sa.Column("subscription_id", sa.Uuid, nullable=False),
            sa.Column("subscription_version", sa.BigInteger, nullable=False),
            sa.Column("quantity", sa.BigInteger, nullable=False),
            sa.Column("shown", JSONB, nullable=False),
            _at("expires_at"),
            sa.Index("previews_of_one_subscription", "partner_id", "subscription_id"),
        ),
    )
    _of_a_subscription("previews", "previews_of_a_subscription", "on delete cascade")


def _door() -> None:
    """One serial number by its whole code. ``taken``: another partner's programme or any subscription carries it."""
    schema.door_function("serial(wanted text)", "table (kind text, product text, taken boolean)", _SERIAL, to=("partner", "worker"))
