"""Clocks of sandbox partners: how far each is ahead, where it stands while it is moved on, and what was told meanwhile."""

import sqlalchemy as sa
from alembic import op

from chassis.database import schema

revision = "0007"
down_revision = "0006"

_ANYBODY = ("partner", "portal", "operator", "worker")


def upgrade() -> None:
    schema.create(
        "rail",
        "clocks",
        sa.Column("partner_id", sa.Uuid, primary_key=True),
        sa.Column("ahead", sa.Interval, nullable=False, server_default=sa.text("'0'")),
        sa.Column("standing_at", sa.DateTime(timezone=True)),
        _count("tick"),
        _count("version"),
        _count("answered"),
        _count("told"),
        _count("told_before"),
        _count("mark"),
        sa.Index("clocks_unanswered", "partner_id", postgresql_where=sa.text("answered < version")),
    )
    if schema.service() == "customers":
        schema.allow_insert("clocks")
    _functions()
    op.add_column("due", sa.Column("sandbox", sa.Boolean, nullable=False, server_default=sa.false()))
    op.execute("create index due_usual on due (retry_at, id) where not sandbox")
    op.execute("create index due_sandbox on due (partner_id, due_at, id) where sandbox")
    op.execute("drop index due_next")


def _count(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default=sa.text("0"))


def _functions() -> None:
    """What requests may know of a clock and do to it: they have no rights on the table."""
    schema.door_function(
        "clock_of(partner uuid)",
        "table (ahead interval, standing_at timestamptz)",
        "select c.ahead, c.standing_at from clocks c where c.partner_id = partner",
        to=("api", *_ANYBODY),
    )
    schema.door_function(
        "clock_told(partners uuid[], counts bigint[])",
        "void",
        """with held as (select c.partner_id from clocks c where c.partner_id = any(partners) order by c.partner_id for update)
           update clocks c
              set told = c.told + said.told, mark = (select last_value from outbox_id_seq)
             from held join unnest(partners, counts) as said(partner_id, told) using (partner_id)
            where c.partner_id = held.partner_id""",
        to=_ANYBODY,
    )
