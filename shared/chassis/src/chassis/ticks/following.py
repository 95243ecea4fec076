"""Following clocks: what customers tells of a sandbox partner's clock is taken over, once, and never backwards."""

from datetime import timedelta
from typing import Final

from sqlalchemy import text

from chassis.consumers.events import Event
from chassis.consumers.handlers import Step
from chassis.database.transaction import Transaction
from contracts.customers.clocks import PartnerClockAdvanced

_FOLLOW: Final = text("""
insert into clocks as known (partner_id, ahead, standing_at, tick, version, answered)
values (:partner_id, cast(:ahead as interval), cast(:standing_at as timestamptz), :tick, :version, :answered)
on conflict (partner_id) do update
   set standing_at = case when excluded.standing_at is not null
                          then greatest(excluded.standing_at, coalesce(known.standing_at, cast(:now as timestamptz) + known.ahead)) end,
       ahead = greatest(known.ahead, excluded.ahead),
       answered = greatest(known.answered, excluded.answered),
       tick = excluded.tick,
       version = excluded.version
 where known.version < excluded.version
""")


async def _follow(tx: Transaction, event: Event[PartnerClockAdvanced]) -> None:
    """While it is moved on it stands at the tick; at the end, which nobody answers, it runs on, as far ahead as it has come by then."""
    told, version = event.record, event.envelope.aggregate_version
    row = {
        "ahead": timedelta() if told.standing else max(timedelta(), told.until - event.envelope.time),
        "standing_at": told.until if told.standing else None,
        "tick": told.tick,
        "version": version,
        "answered": 0 if told.standing else version,
    }
    await tx.session.execute(_FOLLOW, {"partner_id": tx.partner_id, "now": tx.real_now} | row)


FOLLOW: Final = Step(name="clocks follow partner.clock_advanced", record=PartnerClockAdvanced, handle=_follow)
