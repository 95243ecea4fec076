"""One batch: decode, guard by fence and inbox, hand to the handlers, advance, all in one transaction.

What cannot be decoded, or is refused by a handler or by the data's own constraints, is parked
alone: a batch that fails for its data is cut in halves until the record is found. A failure of
the world (connection, deadlock, lock) raises, and the whole batch is tried again.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, assert_never
from uuid import UUID

import structlog
from pydantic import ValidationError
from sqlalchemy.exc import DBAPIError

from chassis.consumers import fences, inbox, progress
from chassis.consumers.events import Event, Tombstone
from chassis.consumers.handlers import Consumer, Handler, Projection, Step
from chassis.consumers.parking import Raw, park
from chassis.database.worker import Work, WorkerDatabase
from chassis.errors import Refusal
from contracts.envelope import BadEnvelope, decode, type_of
from contracts.records import Record

log = structlog.get_logger()

_BAD_DATA: Final = ("22", "23", "42501")


class Poison(Exception):
    """A record that can never take effect here."""


type Read = tuple[Raw, Event[Any] | Tombstone]


class Batches:
    """Applies batches of one consumer group."""

    def __init__(self, database: WorkerDatabase, consumer: Consumer, *, prefix: str) -> None:
        self._database = database
        self._consumer = consumer
        self._prefix = prefix

    async def apply(self, batch: Sequence[Raw]) -> None:
        """Let a batch take effect, whole, and advance the fences in the same transaction."""
        try:
            async with self._database.work() as work:
                await self._take(work, batch, alone=len(batch) == 1)
        except Exception as failure:
            if not is_poison(failure) or len(batch) == 1:
                raise
            middle = len(batch) // 2
            await self.apply(batch[:middle])
            await self.apply(batch[middle:])

    async def _take(self, work: Work, batch: Sequence[Raw], *, alone: bool) -> None:
        reached: dict[tuple[str, int], int] = {}
        for raw in batch:
            reached[raw.place.topic, raw.place.partition] = raw.place.offset + 1
        stood = await fences.lock(work.session, self._consumer.group, reached)
        new = [raw for raw in batch if raw.place.offset >= stood.get((raw.place.topic, raw.place.partition), 0)]
        for topic in dict.fromkeys(raw.place.topic for raw in new):
            of_topic = [raw for raw in new if raw.place.topic == topic]
            for handler in self._consumer.of(topic.removeprefix(self._prefix)):
                await self._hand(work, handler, of_topic, alone=alone)
        ahead = {place: offset for place, offset in reached.items() if offset > stood.get(place, 0)}
        if ahead:
            await fences.advance(work.session, self._consumer.group, ahead)
            if self._consumer.projects:
                await progress.reach(work.session, self._consumer.group, _instants(batch, ahead))

    async def _hand(self, work: Work, handler: Handler, batch: Sequence[Raw], *, alone: bool) -> None:
        readable = [one for raw in batch if (one := await self._read(work, handler, raw)) is not None]
        match handler:
            case Projection():
                await self._project(work, handler, readable, alone=alone)
            case Step():
                await self._step(work, handler, readable)
            case _:
                assert_never(handler)

    async def _read(self, work: Work, handler: Handler, raw: Raw) -> Read | None:
        if raw.payload is not None and type_of(raw.headers) not in {handler.record.topic, None}:
            return None
        try:
            return raw, read_record(handler.record, raw)
        except Poison as poison:
            await self._park(work, handler, raw, str(poison))
            return None

    async def _project(self, work: Work, handler: Projection[Any], batch: Sequence[Read], *, alone: bool) -> None:
        events, ended = _newest(one for _, one in batch)
        try:
            async with work.session.begin_nested():
                if events:
                    await handler.apply(work, events)
                if ended:
                    await handler.forget(work, ended)
        except Exception as failure:
            if not (alone and is_poison(failure)):
                raise
            for raw, _ in batch:
                await self._park(work, handler, raw, reason_of(failure))

    async def _step(self, work: Work, handler: Step[Any], batch: Sequence[Read]) -> None:
        told = [(raw, one) for raw, one in batch if isinstance(one, Event)]
        keys = [(one.envelope.source, one.envelope.id) for _, one in told]
        new = await inbox.enter(work.session, handler.name, keys) if keys else set()
        for raw, event in told:
            if event.envelope.id not in new:
                continue
            new.discard(event.envelope.id)
            try:
                async with work.item(event.envelope.partner_id, cause=event.envelope, at=event.envelope.effective_time) as tx:
                    await handler.handle(tx, event)
            except Exception as failure:
                if not is_poison(failure):
                    raise
                await self._park(work, handler, raw, reason_of(failure))

    async def _park(self, work: Work, handler: Handler, raw: Raw, reason: str) -> None:
        await park(work.session, consumer=self._consumer.group, handler=handler.name, raw=raw, reason=reason)
        log.warning("record_parked", consumer=self._consumer.group, handler=handler.name, topic=raw.place.topic, reason=reason[:200])


def read_record(record: type[Record], raw: Raw) -> Event[Any] | Tombstone:
    """Decode one record.

    Raises:
        Poison: it is no such record, or its tenant is not what its envelope says.
    """
    if raw.payload is None:
        return Tombstone(entity_id=_entity_of(raw), place=raw.place)
    try:
        envelope = decode(raw.headers)
        decoded = record.read(raw.payload)
    except (BadEnvelope, ValidationError, RecursionError) as broken:
        raise Poison(f"cannot be read: {broken}") from broken
    if envelope.type != record.topic:
        raise Poison(f"type {envelope.type!r} in topic {raw.place.topic!r}")
    partner_in_data = getattr(getattr(decoded, "state", decoded), "partner_id", None)
    if partner_in_data not in {None, envelope.partner_id}:
        raise Poison(f"ce_partnerid {envelope.partner_id} is not the data's partner {partner_in_data}")
    return Event(envelope=envelope, record=decoded, place=raw.place)


def is_poison(failure: BaseException) -> bool:
    """Whether trying again could never help: a refusal, or data that the database will not take (SQLSTATE 22, 23, 42501)."""
    if isinstance(failure, (Refusal, Poison)):
        return True
    if not isinstance(failure, DBAPIError):
        return False
    state = getattr(failure.orig, "sqlstate", None) or getattr(failure.orig, "pgcode", None) or ""
    return str(state).startswith(_BAD_DATA)


def reason_of(failure: BaseException) -> str:
    """Why, for whoever looks at what was parked; never the values of a statement, which may name people."""
    if isinstance(failure, Refusal):
        return f"{failure.code}: {failure.detail}"
    if isinstance(failure, DBAPIError) and failure.orig is not None:
        cause = failure.orig.__cause__ or failure.orig
        return f"{type(cause).__name__}: {cause}"
    return f"{type(failure).__name__}: {failure}"


def _instants(batch: Sequence[Raw], places: Collection[fences.TopicPartition]) -> dict[fences.TopicPartition, datetime]:
    last = {(raw.place.topic, raw.place.partition): raw.timestamp_ms for raw in batch}
    return {place: datetime.fromtimestamp(last[place] / 1000, UTC) for place in places}


def _newest(batch: Iterable[Event[Any] | Tombstone]) -> tuple[list[Event[Any]], list[Tombstone]]:
    """Each entity once: its highest version, or its tombstone if nothing came after it. Sorted by entity, so batches never deadlock."""
    newest: dict[UUID, Event[Any] | Tombstone] = {}
    for one in batch:
        entity = one.envelope.subject if isinstance(one, Event) else one.entity_id
        known = newest.get(entity)
        if isinstance(one, Event) and isinstance(known, Event) and known.envelope.aggregate_version > one.envelope.aggregate_version:
            continue
        newest[entity] = one
    ordered = [newest[entity] for entity in sorted(newest)]
    return [one for one in ordered if isinstance(one, Event)], [one for one in ordered if isinstance(one, Tombstone)]


def _entity_of(raw: Raw) -> UUID:
    try:
        return UUID((raw.key or b"").decode())
    except ValueError as bad:
        raise Poison("a tombstone without an entity's id as its key") from bad
