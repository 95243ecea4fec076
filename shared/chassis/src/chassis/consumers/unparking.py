"""What becomes of parked records: replayed once their cause is mended, or skipped for good, with who and why.

Replaying or skipping the first of a subject lets those behind it follow, in order, until one
cannot. All of it is one transaction that holds the first row ``for update``: the consumer, which
holds it ``for share`` when it parks another behind it, either comes before, and its record is
replayed too, or after, and finds the way free.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import Row, func, select, update

from chassis.consumers import inbox
from chassis.consumers.events import Event, Tombstone
from chassis.consumers.handlers import Consumer, Handler, Projection, Step
from chassis.consumers.parking import Standing, parked, raw_of
from chassis.consumers.reading import read_record
from chassis.database.worker import Work, WorkerDatabase
from chassis.errors import Kind, Refusal
from chassis.failures import Poison, Verdict, judge, readable, reason_of
from chassis.retrying import patiently

log = structlog.get_logger()

_CHUNK: Final = 500
_WAITS: Final = (0.1, 0.2, 0.3, 0.4)


class NotParked(Refusal):
    """Nothing is parked under this id."""

    kind = Kind.NOT_FOUND
    code = "not_parked"
    remedy = "List what is parked."


class StandsBehind(Refusal):
    """The record stands behind an earlier one of its subject."""

    kind = Kind.CONFLICT
    code = "stands_behind"
    remedy = "Unpark or skip the first one; the others follow."


class NobodyFollows(Refusal):
    """The handler that this record was parked for is gone."""

    kind = Kind.CONFLICT
    code = "nobody_follows"
    remedy = "Skip the record."


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many records took effect, and why the first of those that remain did not; None when none remains."""

    replayed: int
    still: str | None = None


class Unparking:
    """Settles what the consumers of a service have parked."""

    def __init__(self, database: WorkerDatabase, consumers: Sequence[Consumer]) -> None:
        self._database = database
        self._handlers: dict[tuple[str, str], Handler] = {
            (consumer.group, handler.name): handler for consumer in consumers for handler in consumer.handlers
        }

    async def listed(self, *, limit: int = 200) -> Sequence[Row[Any]]:
        """What is parked or blocked, the oldest first."""
        async with self._database.work() as work:
            rows = await work.session.execute(select(parked).where(parked.c.settled_at.is_(None)).order_by(parked.c.number).limit(limit))
            return rows.all()

    async def unpark(self, parked_id: UUID, *, by: str) -> Outcome:
        """Let a record take effect now, and those behind it.

        Raises:
            NotParked, StandsBehind, NobodyFollows: as they say.
        """
        return await self._patiently(parked_id, by, None)

    async def skip(self, parked_id: UUID, *, by: str, because: str) -> Outcome:
        """Let a record never take effect; those behind the first follow. It stays skipped when its topic is read again.

        Raises:
            NotParked: it is not parked.
        """
        return await self._patiently(parked_id, by, because)

    async def _patiently(self, parked_id: UUID, by: str, because: str | None) -> Outcome:
        """As ``_settle``, again where the consumer was in the way."""
        return await patiently(lambda: self._settle(parked_id, by, because), _WAITS)

    async def _settle(self, parked_id: UUID, by: str, because: str | None) -> Outcome:
        async with self._database.work() as work:
            first = await self._lock(work, parked_id)
            if because is None and first.standing == "blocked":
                raise StandsBehind
            if because is None:
                outcome = await self._follow(work, first, [first], by)
            else:
                await _note(work, first, "skipped", by, because)
                outcome = Outcome(0)
            leads = first.standing == "parked" and (because is None or self._of(first) is not None)
            while leads and outcome.still is None and (behind := await _behind(work, first)):
                following = await self._follow(work, first, behind, by)
                outcome = Outcome(outcome.replayed + following.replayed, following.still)
        settled = {"parked_id": str(parked_id), "by": by, "replayed": outcome.replayed, "still": outcome.still}
        log.info("parked_record_settled", consumer=first.consumer, handler=first.handler, skipped_because=because, **settled)
        return outcome

    async def _lock(self, work: Work, parked_id: UUID) -> Row[Any]:
        wanted = select(parked).where(parked.c.id == parked_id, parked.c.settled_at.is_(None)).with_for_update()
        row = (await work.session.execute(wanted)).one_or_none()
        if row is None:
            raise NotParked(str(parked_id))
        return row

    def _of(self, row: Row[Any]) -> Handler | None:
        return self._handlers.get((row.consumer, row.handler))

    async def _follow(self, work: Work, first: Row[Any], rows: Sequence[Row[Any]], by: str) -> Outcome:
        handler = self._of(first)
        if handler is None:
            raise NobodyFollows(first.handler)
        for done, row in enumerate(rows):
            reason = await _replay(work, handler, row)
            if reason is not None:
                kept = update(parked).where(parked.c.id == row.id).values(standing="parked", reason=readable(reason))
                await work.session.execute(kept)
                return Outcome(done, reason)
            await _note(work, row, "replayed", by, None)
        return Outcome(len(rows))


async def _behind(work: Work, first: Row[Any]) -> Sequence[Row[Any]]:
    """Those that stand behind a record, in order. A statement of its own sees what the consumer parked while it was waited for."""
    if first.subject is None:
        return ()
    c = parked.c
    here = (c.consumer == first.consumer, c.handler == first.handler, c.subject == first.subject, c.settled_at.is_(None))
    return (await work.session.execute(select(parked).where(*here).order_by(c.number).limit(_CHUNK).with_for_update())).all()


async def _replay(work: Work, handler: Handler, row: Row[Any]) -> str | None:
    """Let one record take effect, or say why it still cannot."""
    try:
        await _take(work, handler, row)
    except Exception as failure:
        if judge(failure) is not Verdict.POISON:
            raise
        return reason_of(failure)
    return None


async def _take(work: Work, handler: Handler, row: Row[Any]) -> None:
    one = read_record(handler.record, raw_of(row))
    match handler, one:
        case Projection(), _:
            await _project(work, handler, one)
        case Step(), Event():
            await _step(work, handler, one, entered=row.event_id is not None)
        case _:
            raise Poison("a tombstone for an effect")


async def _project(work: Work, handler: Projection[Any], one: Event[Any] | Tombstone) -> None:
    async with work.session.begin_nested():
        await (handler.apply(work, [one]) if isinstance(one, Event) else handler.forget(work, [one]))


async def _step(work: Work, handler: Step[Any], event: Event[Any], *, entered: bool) -> None:
    """An event that the inbox had noted when it was parked has not taken effect; one that could not be read may have a twin that did."""
    known = (event.envelope.source, event.envelope.id)
    async with work.item(event.envelope.partner_id, cause=event.envelope, at=event.envelope.effective_time) as tx:
        if entered or known in await inbox.enter(work.session, handler.name, [known]):
            await handler.handle(tx, event)


async def _note(work: Work, row: Row[Any], standing: Standing, by: str, because: str | None) -> None:
    settled = {"standing": standing, "settled_at": func.now(), "settled_by": by, "settled_because": because}
    await work.session.execute(update(parked).where(parked.c.id == row.id).values(settled))
