"""Operators, who change no partner's rows, plan that running programmes follow another capability matrix."""

from chassis.database import schema

revision = "0005"
down_revision = "0004"

_PLAN = """
with planned as (
  insert into due (partner_id, id, kind, subject, slot, due_at, retry_at, attempts, payload, sandbox)
  select p.partner_id, gen_random_uuid(), 'programme.regrant', p.id, 'regrant', coalesce(c.standing_at, now() + c.ahead, now()), now(), 0,
         '{}'::jsonb, c.partner_id is not null
    from programmes p left join clocks c on c.partner_id = p.partner_id
   where p.status = 'active' and p.capabilities <> granted
  on conflict on constraint due_once_per_slot
  do update set due_at = excluded.due_at, retry_at = excluded.retry_at, attempts = 0
  returning 1)
select count(*) from planned
"""


def upgrade() -> None:
    schema.door_function("plan_regrants(granted text[])", "bigint", _PLAN, to=("operator", "worker"))
