"""One batch: decode, guard by fence and inbox, hand to the handlers, advance, all in one transaction.

What cannot be decoded, or is refused by a handler or by the data's own constraints, is parked:
a batch that fails for its data is cut in halves until the record is found. For an effect the
later records of the same subject are parked behind it. A failure of the world raises, and the
whole batch is tried again; a defect of ours raises with the place of the record that shows it.
"""

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, assert_never
from uuid import UUID

import structlog

from chassis import tracing
from chassis.consumers import effects, fences, inbox, parking, progress
from chassis.consumers.brake import Brake, Braked
from chassis.consumers.events import Event, Place, Tombstone
from chassis.consumers.handlers import Consumer, Handler, Projection, Step
from chassis.consumers.parking import Parking, Raw, Standing
from chassis.consumers.reading import follows, read_record, subject_of
from chassis.database.worker import Work, WorkerDatabase
from chassis.failures import Poison, Verdict, judge, reason_of
from contracts.beats import is_beat, told_at
from contracts.products.reports import Report

log = structlog.get_logger()


class Defect(Exception):
    """A record that our own code cannot cope with: nothing behind it is read until that is mended."""

    def __init__(self, place: Place) -> None:
        super().__init__(f"{place.topic} partition {place.partition} offset {place.offset}")
        self.place = place


class FencesBehind(Exception):
    """The fences stand before what this worker had reached: the database was restored, and what lies between must be read again."""


@dataclass(slots=True)
class _Taking:
    """One transaction of a batch; ``alone`` when it has one record, which is then parked rather than searched for."""

    work: Work
    alone: bool
    parked: list[Place] = field(default_factory=list)


class Batches:
    """Applies batches of one consumer group."""

    def __init__(self, database: WorkerDatabase, consumer: Consumer, *, prefix: str, brake: Brake | None = None) -> None:
        self._database = database
        self._consumer = consumer
        self._prefix = prefix
        self._reached: dict[fences.TopicPartition, int] = {}
        self.brake = brake or Brake()

    def begin(self, stood: Mapping[fences.TopicPartition, int]) -> None:
        """Say where the fences stand for the partitions that are read from now on."""
        self._reached = dict(stood)
        self.brake.begin(stood)

    async def apply(self, batch: Sequence[Raw]) -> None:
        """Let a batch take effect, whole, and advance the fences in the same transaction.

        Raises:
            Braked: it would park too much.
            Defect: one of its records showed a defect of ours; all before it took effect.
            FencesBehind: the database knows less than this worker did.
        """
        self.brake.saw(raw.place for raw in batch if not is_beat(raw.headers))
        group = self._consumer.group
        with tracing.batch(f"{group} batch", (raw.headers for raw in batch), {"messaging.batch.message_count": len(batch)}):
            await self._apply(batch)

    async def _apply(self, batch: Sequence[Raw]) -> None:
        try:
            await self._take(batch)
        except (Braked, FencesBehind):
            raise
        except Exception as failure:
            verdict = judge(failure)
            if verdict is Verdict.PASSING:
                raise
            if len(batch) > 1:
                middle = len(batch) // 2
                await self._apply(batch[:middle])
                await self._apply(batch[middle:])
            elif verdict is Verdict.POISON:
                await self._take(batch, refused=failure)
            else:
                raise Defect(batch[0].place) from failure

    async def _take(self, batch: Sequence[Raw], *, refused: Exception | None = None) -> None:
        """Take a batch in one transaction; of one that was ``refused`` outside its handlers, at the commit say, nothing but the refusal."""
        reached = {(raw.place.topic, raw.place.partition): raw.place.offset + 1 for raw in batch}
        async with self._database.work() as work:
            taking = _Taking(work, alone=len(batch) == 1)
            stood = await fences.lock(work.session, self._consumer.group, reached)
            if any(stood.get(place, 0) < self._reached.get(place, 0) for place in reached):
                raise FencesBehind(self._consumer.group)
            new = [raw for raw in batch if raw.place.offset >= stood.get((raw.place.topic, raw.place.partition), 0)]
            for handler, of_topic in self._handed(new):
                if refused is None:
                    await self._hand(taking, handler, of_topic)
                else:
                    await self._park(taking, handler, of_topic[0], reason_of(refused), subject=subject_of(of_topic[0]))
            await self._advance(work, batch, {place: offset for place, offset in reached.items() if offset > stood.get(place, 0)})
            self.brake.check(taking.parked)
        self.brake.parked(taking.parked)
        self._reached.update({place: max(offset, stood.get(place, 0)) for place, offset in reached.items()})

    def _handed(self, batch: Sequence[Raw]) -> Iterable[tuple[Handler, list[Raw]]]:
        for topic in dict.fromkeys(raw.place.topic for raw in batch):
            of_topic = [raw for raw in batch if raw.place.topic == topic]
            for handler in self._consumer.of(topic.removeprefix(self._prefix)):
                if followed := [raw for raw in of_topic if follows(handler.record, raw)]:
                    yield handler, followed

    async def _advance(self, work: Work, batch: Sequence[Raw], ahead: Mapping[fences.TopicPartition, int]) -> None:
        if ahead:
            await fences.advance(work.session, self._consumer.group, ahead)
            if self._consumer.projects:
                await progress.reach(work.session, self._consumer.group, _instants(batch, ahead))
            if self._consumer.hears_beats and (heard := _beats(batch, ahead)):
                await progress.hear(work.session, self._consumer.group, heard)

    async def _hand(self, taking: _Taking, handler: Handler, batch: Sequence[Raw]) -> None:
        match handler:
            case Projection():
                await self._project(taking, handler, batch)
            case Step():
                await self._step(taking, handler, batch)
            case _:
                assert_never(handler)

    async def _project(self, taking: _Taking, handler: Projection[Any], batch: Sequence[Raw]) -> None:
        read = [(raw, _read(handler, raw)) for raw in batch]
        for raw, one in read:
            if isinstance(one, Poison):
                await self._park(taking, handler, raw, str(one))
        readable = [one for _, one in read if not isinstance(one, Poison)]
        events, ended = _newest(readable)
        if handler.every:
            events = [one for one in readable if isinstance(one, Event)]
        if not taking.alone:
            await _write(taking.work, handler, events, ended)
            return
        try:
            async with taking.work.session.begin_nested():
                await _write(taking.work, handler, events, ended)
        except Exception as failure:
            if judge(failure) is not Verdict.POISON:
                raise
            await self._park(taking, handler, batch[0], reason_of(failure))

    async def _step(self, taking: _Taking, handler: Step[Any], batch: Sequence[Raw]) -> None:
        session = taking.work.session
        read = [(raw, subject_of(raw), _read(handler, raw)) for raw in batch if raw.payload is not None]
        subjects = {subject for _, subject, _ in read if subject is not None}
        held = await parking.held(session, self._consumer.group, handler.name, subjects)
        new = await inbox.enter(session, handler.name, [_known(one) for _, _, one in read if isinstance(one, Event)])
        fresh = [(raw, subject, one) for raw, subject, one in read if _first(one, new)]
        if not held and await effects.handle_together(taking.work, handler, [one for _, _, one in fresh]):
            return
        for raw, subject, one in fresh:
            event = one if isinstance(one, Event) else None
            if subject in held:
                await self._park(taking, handler, raw, "stands behind an earlier one", subject=subject, event=event, standing="blocked")
            elif (reason := await effects.handle(taking.work, handler, one)) is not None:
                kept = await self._park(taking, handler, raw, reason, subject=subject, event=event)
                held |= {subject} if kept and subject is not None else set()

    async def _park(  # noqa: PLR0913 (what is known of a record that is parked)
        self,
        taking: _Taking,
        handler: Handler,
        raw: Raw,
        reason: str,
        *,
        subject: UUID | None = None,
        event: Event[Any] | None = None,
        standing: Standing = "parked",
    ) -> bool:
        event_id = event.envelope.id if event else None
        at = Parking(consumer=self._consumer.group, handler=handler.name, subject=subject, event_id=event_id, standing=standing)
        kept = await parking.park(taking.work.session, raw, at, reason)
        if kept and standing == "parked":
            if not issubclass(handler.record, Report):
                taking.parked.append(raw.place)
            log.warning("record_parked", consumer=self._consumer.group, handler=handler.name, topic=raw.place.topic, reason=reason[:200])
        return kept


def _read(handler: Handler, raw: Raw) -> Event[Any] | Tombstone | Poison:
    try:
        return read_record(handler.record, raw)
    except Poison as poison:
        return poison


async def _write(work: Work, handler: Projection[Any], events: list[Event[Any]], ended: list[Tombstone]) -> None:
    if events:
        await handler.apply(work, events)
    if ended:
        await handler.forget(work, ended)


def _first(one: Event[Any] | Tombstone | Poison, new: set[inbox.Known]) -> bool:
    """Whether an event has not been seen before, nor earlier in its batch; what cannot be read is looked at each time."""
    if not isinstance(one, Event):
        return True
    if _known(one) not in new:
        return False
    new.remove(_known(one))
    return True


def _known(event: Event[Any]) -> inbox.Known:
    return event.envelope.source, event.envelope.id


def _instants(batch: Sequence[Raw], places: Collection[fences.TopicPartition]) -> dict[fences.TopicPartition, datetime]:
    """The time of each partition's last record. It is its teller's word: nothing is ever as of later than now."""
    last = {(raw.place.topic, raw.place.partition): raw.timestamp_ms for raw in batch}
    now = time.time()
    return {place: datetime.fromtimestamp(min(max(last[place] / 1000, 0.0), now), UTC) for place in places}


def _beats(batch: Sequence[Raw], places: Collection[fences.TopicPartition]) -> dict[fences.TopicPartition, datetime]:
    """The time of each partition's last beat. As with any instant of a teller's, nothing is known of later than now."""
    told = (((raw.place.topic, raw.place.partition), told_at(raw.headers)) for raw in batch)
    return {place: min(at, datetime.now(UTC)) for place, at in told if at is not None and place in places}


def _newest(batch: Iterable[Event[Any] | Tombstone]) -> tuple[list[Event[Any]], list[Tombstone]]:
    """Each entity once: its highest version, or its tombstone if nothing came after it. Sorted by entity, so batches never deadlock."""
    newest: dict[int, Event[Any] | Tombstone] = {}
    for one in batch:
        entity = (one.envelope.subject if isinstance(one, Event) else one.entity_id).int
        known = newest.get(entity)
        if isinstance(one, Event) and isinstance(known, Event) and known.envelope.aggregate_version > one.envelope.aggregate_version:
            continue
        newest[entity] = one
    ordered = [newest[entity] for entity in sorted(newest)]
    return [one for one in ordered if isinstance(one, Event)], [one for one in ordered if isinstance(one, Tombstone)]
