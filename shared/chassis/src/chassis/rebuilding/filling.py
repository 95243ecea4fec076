"""Filling the second tables: the topics from their start, by a reader of its own, never further than the live consumer has come.

Its fences stand beside the live ones under another name and are written with the rows, so a
filling that was killed goes on where it stood. What cannot take effect is parked under that
name too, and counted.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from chassis.consumers import fences
from chassis.consumers.batches import Batches
from chassis.consumers.fetching import fetch, fetch_one_by_one
from chassis.consumers.parking import Raw
from chassis.database.worker import WorkerDatabase
from chassis.errors import Kind, Refusal
from chassis.rebuilding.models import ReadModel
from chassis.retrying import patiently

_BATCH: Final = 4_000
_GIVES_UP: Final = 30.0
_WAITS: Final = (0.1, 0.5, 2.0, 5.0, 10.0)

type Fences = Mapping[fences.TopicPartition, int]
type Told = Callable[[int, int], None]
"""Is told how many offsets were passed, of how many."""


class LogTooShort(Refusal):
    """The topics no longer hold what the live consumer has read."""

    kind = Kind.CONFLICT
    code = "log_too_short"
    remedy = "Let the consumer read the topics again first; where records are lost, retell the states."


class Filling:
    """Reads into the second tables, on connections that look there first."""

    def __init__(self, database: WorkerDatabase, model: ReadModel, kafka: AIOKafkaConsumer, prefix: str) -> None:
        self._database = database
        self._consumer = model.consumer
        self._kafka = kafka
        self._batches = Batches(database, self._consumer, prefix=prefix)
        self._firsts: dict[TopicPartition, int] = {}

    async def up_to(self, reached: Fences, told: Told = lambda _passed, _of: None) -> None:
        """Take everything below these offsets, and nothing beyond.

        Raises:
            LogTooShort: a topic ends before.
            Braked, Defect: as a consumer's batch.
        """
        targets = {TopicPartition(*place): offset for place, offset in reached.items()}
        waiting = await self._seek(targets)
        moved = time.monotonic()
        while waiting:
            batch = [raw for raw in await self._fetch(targets) if raw.place.offset < targets[_place(raw)]]
            if batch:
                await self._apply_together(batch)
            arrived = {tp for tp in waiting if await self._kafka.position(tp) >= targets[tp]}
            self._kafka.pause(*arrived)
            waiting -= arrived
            moved = time.monotonic() if batch or arrived else moved
            if time.monotonic() - moved > _GIVES_UP:
                raise LogTooShort(f"nothing came from {', '.join(f'{tp.topic}/{tp.partition}' for tp in sorted(waiting))}")
            told(*await self._passed(targets))
        async with self._database.work() as work:
            await fences.advance(work.session, self._consumer.group, reached)

    async def _seek(self, targets: Mapping[TopicPartition, int]) -> set[TopicPartition]:
        """Go to the fences of this filling; answers where something is still to be read."""
        places = sorted(targets)
        self._kafka.assign(places)
        if not places:
            return set()
        ends = await self._kafka.end_offsets(places)
        if short := [tp for tp in places if ends[tp] < targets[tp]]:
            raise LogTooShort(f"{short[0].topic}/{short[0].partition} ends at {ends[short[0]]}, and {targets[short[0]]} was reached")
        self._firsts = await self._kafka.beginning_offsets(places)
        async with self._database.work() as work:
            stood = await fences.of(work.session, self._consumer.group, [(tp.topic, tp.partition) for tp in places])
        if back := [tp for tp in places if stood.get((tp.topic, tp.partition), 0) > targets[tp]]:
            raise LogTooShort(f"the consumer was set back in {back[0].topic}/{back[0].partition}", remedy="Begin anew (--anew).")
        for tp in places:
            self._kafka.seek(tp, max(stood.get((tp.topic, tp.partition), 0), self._firsts[tp]))
        self._kafka.resume(*places)
        waiting = {tp for tp in places if await self._kafka.position(tp) < targets[tp]}
        self._kafka.pause(*(set(places) - waiting))
        return waiting

    async def _apply_together(self, batch: Sequence[Raw]) -> None:
        """Each partition by itself, as by workers side by side: one is decoded while the database writes another."""
        parts: dict[int, list[Raw]] = {}
        for raw in batch:
            parts.setdefault(raw.place.partition, []).append(raw)
        outcomes = await asyncio.gather(*(self._apply(part) for part in parts.values()), return_exceptions=True)
        for outcome in outcomes:
            if outcome is not None:
                raise outcome

    async def _apply(self, batch: Sequence[Raw]) -> None:
        """As a consumer does, with less patience: what a failure of the world cuts short can be begun again."""
        await patiently(lambda: self._batches.apply(batch), _WAITS)

    async def _fetch(self, targets: Mapping[TopicPartition, int]) -> list[Raw]:
        try:
            return await fetch(self._kafka, most=_BATCH)
        except UnicodeDecodeError:
            await self._seek(targets)
            return await fetch_one_by_one(self._kafka)

    async def _passed(self, targets: Mapping[TopicPartition, int]) -> tuple[int, int]:
        positions = {tp: min(await self._kafka.position(tp), target) for tp, target in targets.items()}
        return sum(positions[tp] - self._firsts[tp] for tp in targets), sum(target - self._firsts[tp] for tp, target in targets.items())


@asynccontextmanager
async def filling(database: WorkerDatabase, model: ReadModel, *, kafka: str, prefix: str) -> AsyncIterator[Filling]:
    """A reader without a group: it takes no partition away from anybody."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka,
        client_id=model.consumer.group.replace(" ", "-"),
        enable_auto_commit=False,
        auto_offset_reset="none",
        fetch_max_wait_ms=100,
        max_partition_fetch_bytes=4 * 1_048_576,
    )
    await consumer.start()
    try:
        yield Filling(database, model, consumer, prefix)
    finally:
        await asyncio.shield(consumer.stop())


def _place(raw: Raw) -> TopicPartition:
    return TopicPartition(raw.place.topic, raw.place.partition)
