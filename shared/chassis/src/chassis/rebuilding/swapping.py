"""Putting the second tables in the live ones' place, in one short transaction.

First the live consumer is held at its fences, and the second tables are brought exactly there.
Then readers are held: views before tables, which is the order in which a reader takes them.
Both are given up again at once where somebody is in the way. A live batch that had begun to
read a new partition holds its tables and no fence yet: so the fences are read again when
nobody can write any more.

The views are made anew over the new tables and stay the same to everybody, grants and all.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Final

import asyncpg
import structlog

from chassis.database.locks import Lock
from chassis.errors import Kind, Refusal
from chassis.rebuilding import beside, catalogue
from chassis.rebuilding.catalogue import LIVE, Connection
from chassis.rebuilding.comparing import reached
from chassis.rebuilding.filling import Filling
from chassis.rebuilding.models import ReadModel
from chassis.retrying import backoff

log = structlog.get_logger()

_PATIENCE: Final = 60.0
_LOCK_TIMEOUT: Final = "300ms"
_BREATH: Final = (0.05, 0.2, 0.5, 1.0)

_VIEWS: Final = """
select distinct format('%I.%I', n.nspname, v.relname) as name,
       format('create or replace view %I.%I%s as %s', n.nspname, v.relname,
              ' with (' || array_to_string(v.reloptions, ', ') || ')', pg_get_viewdef(v.oid)) as statement
  from pg_depend d join pg_rewrite r on r.oid = d.objid join pg_class v on v.oid = r.ev_class join pg_namespace n on n.oid = v.relnamespace
 where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass and v.relkind = 'v'
   and d.refobjid = any(select format('%I.%I', $1::text, t)::regclass from unnest($2::text[]) t)
 order by name
"""
_HAND_OVER: Final = """
update parked p set consumer = $2
 where consumer = $1 and not exists (
   select from parked live where (live.consumer, live.handler, live.topic, live.partition, live."offset", live.digest)
     = ($2, p.handler, p.topic, p.partition, p."offset", p.digest))
"""
_NOW: Final = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)


class InTheWay(Refusal):
    """Somebody held the read model for a minute."""

    kind = Kind.CONFLICT
    code = "in_the_way"
    remedy = "Run it again when no long query reads it; nothing is lost."


class SchemaChanged(Refusal):
    """The read model's tables are no longer what they were when the rebuild began."""

    kind = Kind.CONFLICT
    code = "schema_changed"
    remedy = "Begin anew (--anew)."


async def swap(owner: Connection, model: ReadModel, filling: Filling, topics: Sequence[str]) -> float:
    """Swap, however often it takes: for how many seconds the live consumer was held the last time.

    Raises:
        InTheWay, SchemaChanged: as they say.
    """
    until = time.monotonic() + _PATIENCE
    tries = 0
    while True:
        began = time.monotonic()
        try:
            if await _swap(owner, model, filling, topics):
                return time.monotonic() - began
        except _NOW as held:
            log.info("swap_held_up", read_model=model.name, reason=repr(held))
        if time.monotonic() > until:
            raise InTheWay
        tries += 1
        await asyncio.sleep(backoff(tries, _BREATH))


async def forget(owner: Connection, model: ReadModel) -> None:
    """Forget what the filling kept besides its tables."""
    for rail in ("fences", "progress", "parked", "brakes"):
        await owner.execute(f"delete from {rail} where consumer = $1", model.consumer.group)  # noqa: S608 (constants)


async def _swap(owner: Connection, model: ReadModel, filling: Filling, topics: Sequence[str]) -> bool:
    """One try; answers False where the live consumer had a partition that nobody knew of."""
    transaction = owner.transaction()
    await transaction.start()
    done = False
    try:
        await owner.execute(f"set local lock_timeout = '{_LOCK_TIMEOUT}'")
        await owner.execute("set local idle_in_transaction_session_timeout = '10s'")
        held = await reached(owner, model.group, topics, hold=True)
        await filling.up_to(held)
        views = await owner.fetch(_VIEWS, LIVE, list(model.tables))
        await _hold_readers(owner, model, views)
        if await reached(owner, model.group, topics) == held:
            await _replace(owner, model, views)
            done = True
    finally:
        await (transaction.commit() if done else transaction.rollback())
    return done


async def _hold_readers(owner: Connection, model: ReadModel, views: Sequence[Any]) -> None:
    for view in views:  # LOCK TABLE would take the tables under the first view before the second view
        await owner.execute(f"alter view {view['name']} owner to current_user")
    for table in sorted(model.tables):
        await owner.execute(f'lock table {LIVE}."{table}" in access exclusive mode')


async def _replace(owner: Connection, model: ReadModel, views: Sequence[Any]) -> None:
    if not await owner.fetchval("select pg_try_advisory_xact_lock($1)", Lock.MIGRATING):
        raise SchemaChanged("the schema is being migrated")
    if changed := await catalogue.unlike(owner, model.tables):
        raise SchemaChanged("; ".join(changed))
    await beside.move(owner, model.tables)
    for view in views:
        await owner.execute(view["statement"])
    await owner.execute(_HAND_OVER, model.consumer.group, model.group)
    await forget(owner, model)
