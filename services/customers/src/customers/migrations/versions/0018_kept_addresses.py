"""Addresses that users have left lately: nobody else signs in by one while it may be taken back. And one's own second factor."""

import sqlalchemy as sa
from alembic import op

from chassis.database import schema

revision = "0018"
down_revision = "0017"

_KEPT = """
create function door.logins_leave_kept() returns trigger language plpgsql security definer set search_path = public, pg_temp as $door$
begin
    if exists (select from kept_addresses k where k.email_key = new.email_key and k.user_id is distinct from new.user_id) then
        raise exception 'the address is kept' using errcode = 'unique_violation', constraint = 'logins_pkey', table = 'logins';
    end if;
    return new;
end $door$
"""
_OWN = f"partner_id = {schema.TENANT} and ({schema.CUSTOMER} is null or user_id = {schema.USER})"


def upgrade() -> None:
    schema.create(
        "door",
        "kept_addresses",
        sa.Column("email_key", sa.Text, primary_key=True),
        sa.Column("partner_id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.ForeignKeyConstraint(
            ["partner_id", "user_id"],
            ["users.partner_id", "users.id"],
            name="kept_addresses_user",
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        sa.Index("kept_addresses_of_user", "partner_id", "user_id"),
    )
    op.execute(_KEPT)
    op.execute("revoke all on function door.logins_leave_kept() from public")
    op.execute(
        "create trigger logins_leave_kept before insert or update of email_key on logins"
        " for each row execute function door.logins_leave_kept()"
    )
    schema.door_function(
        "keep_address(holder uuid, address text)",
        "void",
        f"""insert into kept_addresses (email_key, partner_id, user_id)
            select lower(address), partner_id, id from users where id = holder and {_OWN.replace("user_id", "id")}
                on conflict (email_key) do nothing""",  # noqa: S608 (constants)
        to=("partner",),
    )
    schema.door_function(
        "let_address_go(holder uuid, address text)",
        "void",
        f"""delete from kept_addresses where user_id = holder and email_key = lower(address)
               and ({_OWN} or session_user = '{schema.service()}_worker')""",  # noqa: S608 (constants)
        to=("partner", "worker"),
    )
    schema.door_function(
        "own_second_factor()",
        "table (secret bytea, confirmed_at timestamptz, recovery_left bigint)",
        f"""select secret, confirmed_at, cardinality(recovery) from second_factors
             where partner_id = {schema.ACTOR} and user_id = {schema.USER}""",  # noqa: S608 (constants)
        to=("partner", "portal", "operator"),
    )
