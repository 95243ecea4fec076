"""Mails, and whom they go to and speak of."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from chassis.database import schema

revision = "0001"
down_revision = None


def upgrade() -> None:
    _followed("partners", *_texts("name", "language"), *_texts("purchase_url", "support_url", "support_email", "support_phone", null=True))
    _followed(
        "users",
        sa.Column("customer_id", sa.Uuid),
        *_texts("kind", "status", "name", "language"),
        *_texts("email", null=True),
        sa.Column("role_ids", ARRAY(sa.Uuid), nullable=False),
        sa.Index("users_of_kind", "partner_id", "kind"),
    )
    _followed("roles", sa.Column("predefined", sa.Boolean, nullable=False), sa.Column("permissions", ARRAY(sa.Text), nullable=False))
    _followed(
        "customers",
        *_texts("status", "communications_mode", "company"),
        sa.Column("first_admin_id", sa.Uuid, nullable=False),
        sa.Column("first_admin_email", sa.Text, nullable=False),
        sa.Column("welcome_link_id", sa.Uuid),
    )
    _mails()


def _mails() -> None:
    schema.create(
        "tenant",
        "mails",
        *_key(),
        sa.Column("customer_id", sa.Uuid),
        *_texts("template", "recipient"),
        sa.Column("occasion_id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        *_texts("address", "language", "state"),
        sa.Column("attempts", sa.BigInteger, nullable=False),
        *_texts("message_id", "subject", "reason", null=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("template", "occasion_id", "user_id", name="mails_once"),
        sa.CheckConstraint("recipient in ('customer', 'partner')", name="recipient_is_known"),
        sa.CheckConstraint("state in ('pending', 'sent', 'failed', 'suppressed')", name="state_is_known"),
        sa.CheckConstraint("(state = 'pending') = (settled_at is null)", name="settled_has_a_time"),
        sa.Index("mails_list", "partner_id", "created_at", "id"),
        sa.Index("mails_of_customer", "partner_id", "customer_id", "created_at", "id"),
        sa.Index("mails_by_customer", "customer_id"),
        sa.Index("mails_by_user", "user_id"),
    )


def _followed(name: str, *items: sa.schema.SchemaItem) -> None:
    """A table that a projection keeps: one row per entity, found by its id alone."""
    schema.create("tenant", name, *_key(), *items, sa.UniqueConstraint("id", name=f"{name}_id_key"))


def _key() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("partner_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
    )


def _texts(*names: str, null: bool = False) -> tuple[sa.Column[object], ...]:
    return tuple(sa.Column(name, sa.Text, nullable=null) for name in names)
