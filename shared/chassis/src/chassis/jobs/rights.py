"""In whose name a job runs, and what that user may still do."""

from typing import Any, Final, cast

from sqlalchemy import Row, text

from chassis.access.freshness import FRESH
from chassis.access.rights import AccessUnconfirmed, Rights, rights_of
from chassis.database.transaction import Transaction
from chassis.jobs.kinds import JobKind
from chassis.jobs.tables import Job
from chassis.principal import PARTNERS, Principal
from contracts.customers.users import UserKind

_ENTER: Final = text(
    "select set_config('app.partner', :partner, true), set_config('app.actor', :actor, true),"
    " set_config('app.principal', :user, true), set_config('app.customer', '', true)"
)
_HEARD: Final = text("""
select beat_at, exists (select from pg_class where oid = to_regclass('access_users') and relkind = 'v') as owned from door.access_heard()
""")
"""Rights that are a view are owned here, and always as of now."""


async def rights_now(tx: Transaction, kind: JobKind, job: Row[Any] | Job) -> Rights:
    """What whoever started a job may do now, read in this transaction, once for each chunk.

    Raises:
        AccessUnconfirmed: what is known here of rights is too old to go by; nobody is there to ask in the user's name.
        Refusal: it may do this no longer.
    """
    principal = _principal(job)
    heard = (await tx.session.execute(_HEARD)).one()
    if not heard.owned and (heard.beat_at is None or tx.real_now - heard.beat_at >= FRESH):
        raise AccessUnconfirmed
    said = {"partner": str(principal.tenant), "actor": str(principal.partner_id), "user": str(principal.user_id)}
    await tx.session.execute(_ENTER, said)
    rights = await rights_of((await tx.driver()).fetchrow, principal)
    if kind.permission is not None and principal.kind in PARTNERS:
        rights.require(kind.permission)
    return rights


def _principal(job: Row[Any] | Job) -> Principal:
    acting_as = job.partner_id if job.partner_id != job.user_partner_id else None
    return Principal(
        kind=cast("UserKind", job.user_kind),
        user_id=job.started_by,
        partner_id=job.user_partner_id,
        gen=job.user_gen,
        acting_as=acting_as,
    )
