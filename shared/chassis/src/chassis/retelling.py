"""Retelling: every entity's state told anew, one version higher, so that a topic can be filled again.

For a new field in a state, a broker that was lost, a reader that came late. It tells some at a
time, in the bulk lane but for what says who may do what, and waits while what was told is not yet
out, so nobody else waits for long. What the world is in the way of is tried again. Being cut
short and begun anew costs versions and nothing else.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, Uuid, literal, select, tuple_, update
from sqlalchemy.orm.interfaces import ORMOption

from chassis.database import outbox
from chassis.database.outbox import Lane
from chassis.database.transaction import Transaction
from chassis.database.worker import Work, WorkerDatabase
from chassis.retrying import patiently
from contracts.root import ROOT_PARTNER_ID

log = structlog.get_logger()

_BATCH: Final = 200
_LONGEST_LAG: Final = 1.0
_BREATH: Final = 0.2
_WAITS: Final = (0.2, 1.0, 5.0, 15.0, 30.0)
"""Seconds: a row that somebody holds, or a database that starts again, does not send it back to the beginning."""

type Place = tuple[UUID, UUID]
"""Where a retelling stands: the partner and the id of the last entity told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retelling[Row]:
    """How the entities of one aggregate are told: the mapped class, which is versioned, and what tells one state, no facts.

    What belongs to no partner is told by the root party. ``load`` are options for what ``tell``
    reads beside the row (``selectinload(...)``).
    """

    aggregate: str
    rows: type[Row]
    tell: Callable[[Transaction, Row], Awaitable[None] | None]
    load: Sequence[ORMOption] = ()


async def retell[Row](
    database: WorkerDatabase,
    retelling: Retelling[Row],
    *,
    partner_id: UUID | None = None,
    batch: int = _BATCH,
    so_far: Callable[[int], None] = lambda _told: None,
) -> int:
    """Tell all entities of an aggregate anew, or one partner's: how many there were. ``so_far`` is told after each batch."""
    place: Place | None = None
    told = 0
    while True:
        await _until_out(database)
        places = await patiently(partial(_tell_some, database, retelling, place, batch, partner_id), _WAITS)
        if not places:
            break
        place = places[-1]
        told += len(places)
        so_far(told)
    log.info("states_retold", aggregate=retelling.aggregate, entities=told, partner_id=str(partner_id) if partner_id else None)
    return told


async def _tell_some(
    database: WorkerDatabase, retelling: Retelling[Any], after: Place | None, batch: int, partner_id: UUID | None
) -> list[Place]:
    async with database.work() as work:
        places = await _next(work, retelling, after, batch, partner_id)
        await _tell(work, retelling, places)
        return places


async def _until_out(database: WorkerDatabase) -> None:
    while True:
        async with database.work() as work:
            if await outbox.lag(work.session) <= _LONGEST_LAG:
                return
        await asyncio.sleep(_BREATH)


def _partner(row: Any) -> ColumnElement[UUID]:
    return row.partner_id if hasattr(row, "partner_id") else literal(ROOT_PARTNER_ID, Uuid)


async def _next(work: Work, retelling: Retelling[Any], after: Place | None, batch: int, partner_id: UUID | None) -> list[Place]:
    row, partner = retelling.rows, _partner(retelling.rows)
    wanted = select(partner, row.id).order_by(partner, row.id).limit(batch)
    if partner_id is not None:
        wanted = wanted.where(partner == partner_id)
    if after is not None:
        wanted = wanted.where(tuple_(partner, row.id) > after)
    found = await work.session.execute(wanted.execution_options(across_partners="everybody's states are told anew"))
    return [(its_partner, row_id) for its_partner, row_id in found]


async def _tell(work: Work, retelling: Retelling[Any], places: Sequence[Place]) -> None:
    row, partner = retelling.rows, _partner(retelling.rows)
    for partner_id, of_partner in groupby(places, key=lambda place: place[0]):
        ids = [row_id for _, row_id in of_partner]
        async with work.item(partner_id, lane=Lane.BULK) as tx:
            raised = update(row).where(partner == partner_id, row.id.in_(ids)).values(version=row.version + 1)
            await tx.session.execute(raised, execution_options={"synchronize_session": False})
            found = select(row).where(partner == partner_id, row.id.in_(ids)).options(*retelling.load)
            for entity in await tx.session.scalars(found, execution_options={"populate_existing": True}):
                saying = retelling.tell(tx, entity)
                if saying is not None:
                    await saying
