"""Console sessions, the doors to them, and how long they last."""

import json

import sqlalchemy as sa
from alembic import op

from chassis.database import schema

revision = "0013"
down_revision = "0012"

_POLICY = {"code_lasts": "PT1M", "session_lasts": "PT1H"}
_ENDERS = "('partner', 'customer', 'operator', 'console', 'rights', 'reuse', 'time')"


def _at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _to(table: str, column: str, name: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["partner_id", column], [f"{table}.partner_id", f"{table}.id"], name=name, onupdate="CASCADE", ondelete="CASCADE"
    )


def upgrade() -> None:
    schema.create(
        "tenant",
        "console_sessions",
        sa.Column("partner_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("customer_id", sa.Uuid, nullable=False),
        sa.Column("user_partner_id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("user_name", sa.Text, nullable=False),
        sa.Column("offer", sa.Text),
        sa.Column("consent_id", sa.Uuid),
        _at("launched_at"),
        _at("opened_at", nullable=True),
        _at("expires_at"),
        _at("ended_at", nullable=True),
        sa.Column("ended_by", sa.Text),
        sa.CheckConstraint(f"ended_by in {_ENDERS}", name="ended_by"),
        sa.CheckConstraint("(ended_at is null) = (ended_by is null)", name="ended_by_somebody"),
        _to("customers", "customer_id", "console_sessions_customer"),
        sa.Index("console_sessions_of_customer", "partner_id", "customer_id", "launched_at", "id"),
        portal="customer_id",
    )
    _customers_end_them()
    _doors()
    first = sa.text("insert into policies (kind, version, document) values ('console', 1, cast(:document as jsonb))")
    op.execute(first.bindparams(document=json.dumps(_POLICY)))


def _customers_end_them() -> None:
    portal = f"{schema.service()}_portal"
    about_me = f"partner_id = {schema.TENANT} and customer_id = {schema.CUSTOMER}"
    op.execute(f"create policy console_sessions_own on console_sessions for update to {portal} using ({about_me}) with check ({about_me})")
    op.execute(f"grant update (ended_at, ended_by, version) on console_sessions to {portal}")


def _doors() -> None:
    schema.create(
        "door",
        "console_keys",
        sa.Column("hash", sa.LargeBinary, primary_key=True),
        sa.Column("partner_id", sa.Uuid, nullable=False),
        sa.Column("session_id", sa.Uuid, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("used", sa.Boolean, nullable=False, server_default="false"),
        sa.CheckConstraint("purpose in ('code', 'token')", name="purpose"),
        _to("console_sessions", "session_id", "console_keys_session"),
        sa.Index("console_keys_of_session", "partner_id", "session_id"),
    )
    schema.door_function(
        "keep_console_key(key bytea, session uuid, what text)",
        "boolean",
        f"""with kept as (insert into console_keys (hash, partner_id, session_id, purpose)
                           select key, s.partner_id, s.id, what from console_sessions s
                            where s.partner_id = {schema.TENANT} and s.id = session returning 1)
            select exists (select from kept)""",  # noqa: S608 (the tenant's condition)
        to=("partner",),
    )
    schema.door_function(
        "find_console_key(key bytea, what text)",
        "table (partner_id uuid, session_id uuid, customer_id uuid, user_partner_id uuid, user_id uuid, kind text, gen bigint)",
        """select s.partner_id, s.id, s.customer_id, u.partner_id, u.id, u.kind, u.gen from console_keys k
             join console_sessions s on s.partner_id = k.partner_id and s.id = k.session_id
             join users u on u.partner_id = s.user_partner_id and u.id = s.user_id
            where k.hash = key and k.purpose = what""",
    )
    schema.door_function(
        "use_console_code(key bytea)",
        "boolean",
        f"""with taken as (update console_keys set used = true
                            where hash = key and purpose = 'code' and not used and partner_id = {schema.TENANT} returning 1)
            select exists (select from taken)""",  # noqa: S608 (the tenant's condition)
        to=("partner",),
    )
