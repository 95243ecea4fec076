"""The loop of one consumer group: assigned partitions are sought to their fences, batches applied, lag shown.

A batch in hand is finished before partitions are given away. A failure waits and tries the
same batch again: nothing is skipped.
"""

import asyncio
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError
from sqlalchemy.exc import SQLAlchemyError

from chassis.consumers import fences, progress
from chassis.consumers.batches import Batches
from chassis.consumers.events import Place
from chassis.consumers.handlers import Consumer
from chassis.consumers.parking import Raw
from chassis.database.worker import WorkerDatabase

log = structlog.get_logger()

BATCH: Final = 500
_WAIT_MS: Final = 50
_BACKOFF: Final = (0.1, 0.5, 1.0, 2.0, 5.0)
_LOOK: Final = 1.0


class ConsumerWorker:
    """Runs one consumer until it is stopped."""

    def __init__(self, consumer: Consumer, database: WorkerDatabase, *, kafka: str, prefix: str = "", slot: str = "0") -> None:
        self._consumer = consumer
        self._database = database
        self._kafka = kafka
        self._prefix = prefix
        self._slot = slot
        self._batches = Batches(database, consumer, prefix=prefix)
        self._in_hand = asyncio.Lock()
        self._stopping = asyncio.Event()
        self.name: Final = consumer.group
        self.failures = 0
        """Failures in a row of the batch in hand; 0 while all is well (readiness)."""
        self._behind: dict[TopicPartition, int] | None = None
        self._next_look = 0.0

    @property
    def caught_up(self) -> bool:
        """Whether everything that stood in the log when the partitions were assigned has taken effect (readiness)."""
        return self._behind == {}

    async def run(self) -> None:
        """Consume until ``stop``. A lost broker is waited for."""
        while not self._stopping.is_set():
            try:
                await self._consume()
            except (KafkaError, OSError) as lost:
                self.failures += 1
                log.warning("broker_lost", consumer=self._consumer.group, reason=repr(lost))
                await self._pause(self.failures)

    def stop(self) -> None:
        """Ask the loop to end after the batch in hand."""
        self._stopping.set()

    async def _consume(self) -> None:
        kafka = self._client()
        kafka.subscribe([self._prefix + topic for topic in self._consumer.topics()], listener=_Seeker(self, kafka))
        await kafka.start()
        try:
            while not self._stopping.is_set():
                await self._turn(kafka)
        finally:
            await asyncio.shield(kafka.stop())

    async def _turn(self, kafka: AIOKafkaConsumer) -> None:
        fetched = await kafka.getmany(timeout_ms=_WAIT_MS, max_records=BATCH)
        batch = [_raw(record) for records in fetched.values() for record in records]
        async with self._in_hand:
            still = kafka.assignment()
            batch = [raw for raw in batch if TopicPartition(raw.place.topic, raw.place.partition) in still]
            if await self._apply(batch):
                self._note(batch)
                await self._show(kafka, batch)
            if not self._stopping.is_set():
                await self._look(kafka)

    async def _apply(self, batch: list[Raw]) -> bool:
        while batch and not self._stopping.is_set():
            try:
                await self._batches.apply(batch)
            except Exception:
                self.failures += 1
                log.exception("batch_failed", consumer=self._consumer.group, records=len(batch), failures=self.failures)
                await self._pause(self.failures)
            else:
                self.failures = 0
                return True
        return False

    def _note(self, batch: list[Raw]) -> None:
        for raw in batch if self._behind else ():
            tp = TopicPartition(raw.place.topic, raw.place.partition)
            if self._behind and raw.place.offset + 1 >= self._behind.get(tp, 0):
                self._behind.pop(tp, None)

    async def _show(self, kafka: AIOKafkaConsumer, batch: list[Raw]) -> None:
        """Commit offsets for whoever watches the lag; the fences are what counts, so a failure here is none."""
        reached = {TopicPartition(raw.place.topic, raw.place.partition): raw.place.offset + 1 for raw in batch}
        if reached and not self._stopping.is_set():
            try:
                await kafka.commit(reached)
            except KafkaError as failure:
                log.info("offsets_not_shown", consumer=self._consumer.group, reason=repr(failure))

    async def _look(self, kafka: AIOKafkaConsumer) -> None:
        """Once a second, say of partitions with nothing left to read that they are as of now."""
        if not self._consumer.projects or time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + _LOOK
        drained = {(tp.topic, tp.partition): at for tp in kafka.assignment() if (at := await _drained(kafka, tp))}
        try:
            async with self._database.work() as work:
                await progress.reach(work.session, self._consumer.group, drained)
        except (SQLAlchemyError, OSError) as failure:
            log.info("progress_not_noted", consumer=self._consumer.group, reason=repr(failure))

    async def seek(self, kafka: AIOKafkaConsumer, assigned: Iterable[TopicPartition]) -> None:
        """Go to where the fences stand. What was never read is read from the start."""
        partitions = list(assigned)
        async with self._database.work() as work:
            stood = await fences.of(work.session, self._consumer.group, [(tp.topic, tp.partition) for tp in partitions])
            if self._consumer.projects:
                topics = [self._prefix + topic for topic in self._consumer.topics()]
                await progress.begin(work.session, self._consumer.group, topics, [(tp.topic, tp.partition) for tp in partitions])
        firsts = await kafka.beginning_offsets(partitions) if partitions else {}
        ends = await kafka.end_offsets(partitions) if partitions else {}
        starts = {tp: max(stood.get((tp.topic, tp.partition), 0), firsts[tp]) for tp in partitions}
        self._behind = {tp: end for tp, end in ends.items() if starts[tp] < end}
        for tp, offset in starts.items():
            kafka.seek(tp, offset)

    async def finish_batch(self) -> None:
        async with self._in_hand:
            """Nothing more: the lock is free when the batch has taken effect."""

    async def _pause(self, failures: int) -> None:
        seconds = _BACKOFF[min(failures, len(_BACKOFF)) - 1]
        try:
            await asyncio.wait_for(self._stopping.wait(), timeout=seconds)
        except TimeoutError:
            return

    def _client(self) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            bootstrap_servers=self._kafka,
            group_id=self._prefix + self._consumer.group,
            group_instance_id=f"{self._prefix}{self._consumer.group}-{self._slot}",
            client_id=f"{self._consumer.group}-{self._slot}",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=10_000,
            rebalance_timeout_ms=60_000,
            max_poll_interval_ms=300_000,
            partition_assignment_strategy=(RangePartitionAssignor,),
            fetch_max_wait_ms=100,
        )


class _Seeker(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    def __init__(self, worker: ConsumerWorker, kafka: AIOKafkaConsumer) -> None:
        self._worker = worker
        self._kafka = kafka

    async def on_partitions_revoked(self, revoked: Any) -> None:
        del revoked
        await self._worker.finish_batch()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        await self._worker.seek(self._kafka, assigned)


async def _drained(kafka: AIOKafkaConsumer, tp: TopicPartition) -> datetime | None:
    """When the broker last said that nothing lies behind the position; None where something does, or it has not said."""
    end, at = kafka.highwater(tp), kafka.last_poll_timestamp(tp)
    if end is None or at is None or await kafka.position(tp) < end:
        return None
    return datetime.fromtimestamp(at / 1000, UTC)


def _raw(record: Any) -> Raw:
    return Raw(
        place=Place(topic=record.topic, partition=record.partition, offset=record.offset),
        key=record.key,
        headers=tuple(record.headers),
        payload=record.value,
        timestamp_ms=record.timestamp,
    )
