"""Sandboxes: the clocks of partners for play, and what every service has answered to their last tick."""

import sqlalchemy as sa
from alembic import op

from chassis.database import schema

revision = "0006"
down_revision = "0005"

_FOR_GOOD = """
create function sandbox_for_good() returns trigger language plpgsql as $$
begin
    raise exception 'a partner is a sandbox for good, or never' using errcode = 'check_violation', constraint = 'partners_sandbox_for_good';
end $$
"""


def upgrade() -> None:
    op.add_column("partners", sa.Column("ahead_seconds", sa.Double))
    op.execute(_FOR_GOOD)
    op.execute(
        "create trigger partners_sandbox_for_good before update of sandbox on partners"
        " for each row when (new.sandbox is distinct from old.sandbox) execute function sandbox_for_good()"
    )
    schema.create(
        "tenant",
        "sandboxes",
        sa.Column("partner_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("tick", sa.BigInteger, nullable=False),
        sa.Column("ahead", sa.Interval, nullable=False),
        sa.Column("standing_at", sa.DateTime(timezone=True)),
        sa.Column("until", sa.DateTime(timezone=True)),
        sa.Column("job_id", sa.Uuid),
        sa.CheckConstraint("partner_id = id", name="of_the_partner"),
        sa.CheckConstraint("num_nulls(standing_at, until, job_id) in (0, 3)", name="moves_or_not"),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name="sandboxes_partner"),
    )
    schema.create(
        "tenant",
        "clock_answers",
        sa.Column("partner_id", sa.Uuid, primary_key=True),
        sa.Column("service", sa.Text, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("told", sa.BigInteger, nullable=False),
        sa.Column("next_due", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["partner_id"], ["partners.id"], name="clock_answers_partner"),
    )
    names = "partner_id id version name name_key country status parent_id ancestors shut_out sandbox language time_zone support"
    schema.read_views("partners", [*names.split(), "registered_at", "updated_at", "ahead_seconds"])
