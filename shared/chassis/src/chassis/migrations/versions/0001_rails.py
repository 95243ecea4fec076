"""The rails: outbox, inbox, fences, parked records, due work, idempotency keys, access."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB

from chassis.database import schema

revision = "0001"
down_revision = None

_RING = """
create function ring_for_the_relay() returns trigger language plpgsql as $$
begin
    if not pg_try_advisory_xact_lock_shared(7041778) then
        notify outbox;
    end if;
    return null;
end $$
"""


def _now(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now())


def upgrade() -> None:
    _messages()
    _due()
    _idempotency_keys()
    if schema.service() != "customers":
        _access()


def _messages() -> None:
    schema.create(
        "rail",
        "outbox",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("lane", sa.SmallInteger, nullable=False, server_default="1"),
        sa.Column("entity", sa.Uuid, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("partition_key", sa.Uuid, nullable=False),
        sa.Column("event_id", sa.Uuid, nullable=False),
        sa.Column("headers", JSON, nullable=False),
        sa.Column("payload", sa.LargeBinary),
        sa.Column("reason", sa.Text),
        _now("created_at"),
        sa.Index("outbox_entity", "entity", "id"),
        sa.Index("outbox_lane", "lane", "id"),
        sa.Index("outbox_parked", "entity", postgresql_where=sa.text("lane = 3")),
    )
    schema.allow_insert("outbox")
    op.execute(_RING)
    op.execute("create trigger outbox_rings after insert on outbox for each statement execute function ring_for_the_relay()")
    schema.create(
        "rail",
        "inbox",
        sa.Column("consumer", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("event_id", sa.Uuid, primary_key=True),
        _now("received_at"),
        sa.Index("inbox_received_at", "received_at", postgresql_using="brin"),
    )
    schema.create(
        "rail",
        "fences",
        sa.Column("consumer", sa.Text, primary_key=True),
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("partition", sa.Integer, primary_key=True),
        sa.Column("next_offset", sa.BigInteger, nullable=False),
    )
    _parking()


def _parking() -> None:
    schema.create(
        "rail",
        "parked",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("number", sa.BigInteger, sa.Identity(always=True), nullable=False),
        sa.Column("consumer", sa.Text, nullable=False),
        sa.Column("handler", sa.Text, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("partition", sa.Integer, nullable=False),
        sa.Column("offset", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("key", sa.LargeBinary),
        sa.Column("headers", JSONB, nullable=False),
        sa.Column("payload", sa.LargeBinary),
        sa.Column("subject", sa.Uuid),
        sa.Column("event_id", sa.Uuid),
        sa.Column("standing", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        _now("parked_at"),
        sa.Column("settled_at", sa.DateTime(timezone=True)),
        sa.Column("settled_by", sa.Text),
        sa.Column("settled_because", sa.Text),
        sa.UniqueConstraint("consumer", "handler", "topic", "partition", "offset", "digest", name="parked_once"),
        sa.Index("parked_open", "consumer", "handler", "subject", "number", postgresql_where=sa.text("settled_at is null")),
    )
    schema.create(
        "rail",
        "brakes",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("consumer", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        _now("engaged_at"),
        sa.Column("released_at", sa.DateTime(timezone=True)),
        sa.Column("released_by", sa.Text),
        sa.Column("released_because", sa.Text),
        sa.Column("allowance", sa.Integer, nullable=False, server_default="0"),
        sa.Index("brakes_one_open", "consumer", unique=True, postgresql_where=sa.text("released_at is null")),
    )


def _due() -> None:
    schema.create(
        "tenant",
        "due",
        sa.Column("partner_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Uuid, nullable=False),
        sa.Column("slot", sa.Text, nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("payload", JSONB, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("last_error", sa.Text),
        sa.UniqueConstraint("partner_id", "kind", "subject", "slot", name="due_once_per_slot"),
        sa.Index("due_next", "kind", "retry_at", "id"),
    )


def _idempotency_keys() -> None:
    schema.create(
        "actor",
        "idempotency_keys",
        sa.Column("partner_id", sa.Uuid, primary_key=True),
        sa.Column("user_id", sa.Uuid, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("status", sa.SmallInteger),
        sa.Column("headers", JSONB),
        sa.Column("body", sa.LargeBinary),
        _now("created_at"),
        sa.Index("idempotency_keys_created_at", "created_at"),
    )


def _access() -> None:
    def owned(*columns: sa.schema.SchemaItem) -> tuple[sa.schema.SchemaItem, ...]:
        return (
            sa.Column("partner_id", sa.Uuid, primary_key=True),
            sa.Column("id", sa.Uuid, primary_key=True),
            sa.Column("version", sa.BigInteger, nullable=False),
            *columns,
            sa.UniqueConstraint("id"),
        )

    schema.create(
        "access",
        "access_partners",
        *owned(
            sa.Column("ancestors", ARRAY(sa.Uuid), nullable=False),
            sa.Column("status", sa.Text, nullable=False),
            sa.Column("shut_out", sa.Boolean, nullable=False),
        ),
    )
    schema.create(
        "access",
        "access_users",
        *owned(
            sa.Column("kind", sa.Text, nullable=False),
            sa.Column("status", sa.Text, nullable=False),
            sa.Column("gen", sa.BigInteger, nullable=False),
            sa.Column("customer_id", sa.Uuid),
            sa.Column("role_ids", ARRAY(sa.Uuid), nullable=False),
        ),
    )
    schema.create(
        "access",
        "access_roles",
        *owned(
            sa.Column("permissions", ARRAY(sa.Text), nullable=False),
            sa.Column("all_customers", sa.Text),
            sa.Column("default_level", sa.Text, nullable=False),
            sa.Column("customers", JSONB, nullable=False),
            sa.Column("tags", JSONB, nullable=False),
        ),
    )
    schema.create(
        "access",
        "access_customers",
        *owned(
            sa.Column("status", sa.Text, nullable=False),
            sa.Column("management_type", sa.Text, nullable=False),
            sa.Column("tags", ARRAY(sa.Text), nullable=False),
        ),
    )
    op.execute("create index access_partners_ancestors on access_partners using gin (ancestors)")
