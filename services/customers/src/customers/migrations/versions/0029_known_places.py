"""Places are known that were never tried; sessions end with their users' generation; a deletion knows its stage."""

import sqlalchemy as sa
from alembic import op

from chassis.database import schema

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    op.add_column("deletions", sa.Column("stage_id", sa.Uuid))
    schema.door_function(
        "attempt_good(wanted bytea, at timestamptz)",
        "void",
        """insert into attempts (attempt, failures, tried_at, good_at) values (wanted, 0, at, at)
           on conflict (attempt) do update set failures = 0, good_at = at""",
    )
    whose = f"(s.partner_id = {schema.TENANT} or session_user = '{schema.service()}_worker')"
    schema.door_function(
        "end_sessions(holder uuid, chosen uuid, kept uuid, new_gen bigint, at timestamptz, why text)",
        "setof uuid",
        f"""with mine as (
                select s.id, (chosen is null or s.id = chosen) and s.id is distinct from kept as ending from sessions s
                  join users u on u.partner_id = s.partner_id and u.id = s.user_id and u.gen = new_gen
                 where s.user_id = holder and s.ended_at is null and s.gen = new_gen - 1 and {whose}
                 order by s.id for update of s),
            on_their_way as (update sessions s set gen = new_gen from mine where s.id = mine.id and not mine.ending)
            update sessions s set ended_at = at, end_reason = why from mine where s.id = mine.id and mine.ending returning s.id""",  # noqa: S608 (constants)
        to=("partner", "portal", "operator", "worker"),
    )
    schema.door_function(
        "session_goes_on(session uuid)",
        "boolean",
        f"""select exists (select from sessions s join users u on u.partner_id = s.partner_id and u.id = s.user_id and u.gen = s.gen
                            where s.id = session and s.ended_at is null
                              and s.partner_id = {schema.ACTOR} and s.user_id = {schema.USER})""",  # noqa: S608 (constants)
        to=("partner", "portal", "operator"),
    )
