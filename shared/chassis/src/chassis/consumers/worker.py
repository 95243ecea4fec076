"""The loop of one consumer group: assigned partitions are sought to their fences, batches applied, lag shown.

A batch in hand is finished before partitions are given away. A failure of the world waits and
tries the same batch again: nothing is skipped. A defect, or more poison than comes by chance,
stops the consumer where it stands: the process goes on without it and is not ready. A defect is
tried again ever more rarely, the outage brake waits to be released.
"""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, Final
from uuid import UUID

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import IllegalStateError, KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError
from prometheus_client import Gauge
from sqlalchemy.exc import SQLAlchemyError

from chassis.consumers import brake, progress
from chassis.consumers.batches import Batches, Defect, FencesBehind
from chassis.consumers.brake import Brake, Braked
from chassis.consumers.events import Place
from chassis.consumers.handlers import Consumer
from chassis.consumers.housework import Housework
from chassis.consumers.lag import Lag
from chassis.consumers.parking import Raw
from chassis.consumers.seeking import starts
from chassis.database.worker import WorkerDatabase
from chassis.metrics import REGISTRY

log = structlog.get_logger()

STOPPED: Final = Gauge("consumer_stopped", "Whether a consumer stands still until somebody looks", ("consumer",), registry=REGISTRY)

BATCH: Final = 500
_WAIT_MS: Final = 50
_BACKOFF: Final = (0.1, 0.5, 1.0, 2.0, 5.0)
_DEFECT_BACKOFF: Final = (1.0, 5.0, 15.0, 60.0)
_BRAKED: Final = 1.0
_NOT_READY: Final = 3


class ConsumerWorker:
    """Runs one consumer until it is stopped."""

    def __init__(
        self, consumer: Consumer, database: WorkerDatabase, *, kafka: str, prefix: str = "", slot: str = "0", brake: Brake | None = None
    ) -> None:
        self._consumer = consumer
        self._database = database
        self._kafka = kafka
        self._prefix = prefix
        self._slot = slot
        self._batches = Batches(database, consumer, prefix=prefix, brake=brake)
        self._lag = Lag(consumer.group)
        self._housework = Housework(consumer, database, self._lag)
        self._in_hand = asyncio.Lock()
        self._stopping = asyncio.Event()
        self.name: Final = consumer.group
        self.failures = 0
        """Failures in a row of the batch in hand; 0 while all is well (readiness)."""
        self._behind: dict[TopicPartition, int] | None = None
        self._sought = True
        self._begun = False
        self._brake_id: UUID | None = None
        self._next_try = 0.0

    @property
    def caught_up(self) -> bool:
        """Whether everything that stood in the log when the partitions were assigned has taken effect (readiness)."""
        return self._behind == {}

    @property
    def keeps_up(self) -> bool:
        """Whether what it knows is young enough (readiness): not from 60 s of lag on, and again under 10 s."""
        return self._lag.keeps_up

    async def run(self) -> None:
        """Consume until ``stop``. A lost broker is waited for."""
        while not self._stopping.is_set():
            try:
                await self._consume()
            except (KafkaError, OSError) as lost:
                self._failed("broker_lost", lost)
                await self._pause()

    def stop(self) -> None:
        """Ask the loop to end after the batch in hand."""
        self._stopping.set()

    def seek_again(self) -> None:
        """Read on from the fences before anything else: partitions were assigned, or the positions are worth nothing."""
        self._sought = False

    async def finish_batch(self) -> None:
        async with self._in_hand:
            """Nothing more: the lock is free when the batch has taken effect."""

    async def _consume(self) -> None:
        kafka = self._client()
        kafka.subscribe([self._prefix + topic for topic in self._consumer.topics()], listener=_Listener(self))
        await kafka.start()
        try:
            while not self._stopping.is_set():
                await self._turn(kafka)
        finally:
            await asyncio.shield(kafka.stop())

    async def _turn(self, kafka: AIOKafkaConsumer) -> None:
        if not self._sought and not await self._seek(kafka):
            await self._pause()
            return
        try:
            fetched = await kafka.getmany(timeout_ms=_WAIT_MS, max_records=BATCH)
        except (OffsetOutOfRangeError, NoOffsetForPartitionError):
            self.seek_again()
            return
        await self._work_off(kafka, [_raw(record) for records in fetched.values() for record in records])
        async with self._in_hand:
            if self._sought and not self._stopping.is_set():
                await self._housework.look(kafka)

    async def _work_off(self, kafka: AIOKafkaConsumer, batch: Sequence[Raw]) -> None:
        """Try a batch until it has taken effect; what is no longer ours is left to its new reader."""
        while batch and self._sought and not self._stopping.is_set():
            async with self._in_hand:
                still = kafka.assignment()
                batch = [raw for raw in batch if _place(raw) in still]
                if await self._attempt(batch):
                    self._note(batch)
                    await self._show(kafka, batch)
                    return
            await self._pause()

    async def _attempt(self, batch: Sequence[Raw]) -> bool:
        try:
            if self._brake_id is not None and not await self._released(self._brake_id):
                return False
            if not self._sought:
                return False
            await self._batches.apply(batch)
        except Braked as braked:
            await self._brake(braked)
        except Defect as defect:
            self._stopped_by(defect)
        except FencesBehind:
            log.error("fences_behind", consumer=self.name)  # noqa: TRY400 (why is in the name, where is of no interest)
            self.seek_again()
        except Exception as failure:  # noqa: BLE001 (a delivery loop: the batch is tried again, nothing is skipped)
            self._failed("batch_failed", failure, records=len(batch))
        else:
            self.failures = 0
            STOPPED.labels(self.name).set(0)
            return True
        return False

    def _failed(self, event: str, failure: BaseException, **about: Any) -> None:
        self.failures += 1
        self._next_try = _BACKOFF[min(self.failures, len(_BACKOFF)) - 1]
        log.warning(event, consumer=self.name, reason=repr(failure), failures=self.failures, **about)

    def _stopped_by(self, defect: Defect) -> None:
        """Stand still at a record that shows a defect: not ready at once, tried again ever more rarely."""
        self.failures = max(self.failures + 1, _NOT_READY)
        self._next_try = _DEFECT_BACKOFF[min(self.failures - _NOT_READY, len(_DEFECT_BACKOFF) - 1)]
        STOPPED.labels(self.name).set(1)
        where = {"topic": defect.place.topic, "partition": defect.place.partition, "offset": defect.place.offset}
        log.error("consumer_stopped", consumer=self.name, **where, retry_in=self._next_try, exc_info=defect.__cause__)

    async def _brake(self, braked: Braked) -> None:
        """Stand still until somebody releases the brake."""
        self.failures = max(self.failures, _NOT_READY)
        self._next_try = _BRAKED
        STOPPED.labels(self.name).set(1)
        try:
            async with self._database.work() as work:
                self._brake_id = await brake.engage(work.session, self.name, str(braked))
        except (SQLAlchemyError, OSError) as failure:
            log.warning("brake_not_noted", consumer=self.name, reason=repr(failure))
        log.error("consumer_braked", consumer=self.name, reason=str(braked))

    async def _released(self, brake_id: UUID) -> bool:
        async with self._database.work() as work:
            allowance = await brake.released(work.session, brake_id)
        if allowance is None:
            return False
        log.warning("brake_released", consumer=self.name, allowance=allowance)
        self._batches.brake.release(allowance)
        self._brake_id = None
        return True

    def _note(self, batch: Sequence[Raw]) -> None:
        for raw in batch:
            self._lag.reach(_place(raw), raw.timestamp_ms / 1000)
            if self._behind and raw.place.offset + 1 >= self._behind.get(_place(raw), 0):
                self._behind.pop(_place(raw), None)

    async def _show(self, kafka: AIOKafkaConsumer, batch: Sequence[Raw]) -> None:
        """Commit offsets for whoever watches the lag; the fences are what counts, so a failure here is none."""
        reached = {_place(raw): raw.place.offset + 1 for raw in batch}
        if reached and not self._stopping.is_set():
            try:
                await kafka.commit(reached)
            except KafkaError as failure:
                log.info("offsets_not_shown", consumer=self.name, reason=repr(failure))

    async def _seek(self, kafka: AIOKafkaConsumer) -> bool:
        """Go to where the fences stand. What was never read is read from the start."""
        self._sought = True
        assigned = sorted(kafka.assignment())
        try:
            await self._begin(assigned)
            found = await starts(kafka, self._database, self.name, assigned)
            for tp, start in found.items():
                kafka.seek(tp, start.offset)
        except (SQLAlchemyError, OSError, IllegalStateError) as failure:
            self._failed("seek_failed", failure)
            self._sought = False
            return False
        self._batches.begin({(tp.topic, tp.partition): start.fence for tp, start in found.items()})
        self._behind = {tp: start.end for tp, start in found.items() if start.offset < start.end}
        self._lag.follow(assigned)
        if self._brake_id is None:
            self.failures = 0
            STOPPED.labels(self.name).set(0)
        return True

    async def _begin(self, assigned: Sequence[TopicPartition]) -> None:
        async with self._database.work() as work:
            if not self._begun:
                await brake.release(work.session, self.name, by="restart", because="the consumer was started again", allowance=0)
            if self._consumer.projects:
                topics = [self._prefix + topic for topic in self._consumer.topics()]
                await progress.begin(work.session, self.name, topics, [(tp.topic, tp.partition) for tp in assigned])
        self._begun = True

    async def _pause(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), timeout=self._next_try)

    def _client(self) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            bootstrap_servers=self._kafka,
            group_id=self._prefix + self._consumer.group,
            group_instance_id=f"{self._prefix}{self._consumer.group}-{self._slot}",
            client_id=f"{self._consumer.group}-{self._slot}",
            enable_auto_commit=False,
            auto_offset_reset="none",
            session_timeout_ms=10_000,
            rebalance_timeout_ms=60_000,
            max_poll_interval_ms=300_000,
            metadata_max_age_ms=10_000,
            partition_assignment_strategy=(RangePartitionAssignor,),
            fetch_max_wait_ms=100,
        )


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    def __init__(self, worker: ConsumerWorker) -> None:
        self._worker = worker

    async def on_partitions_revoked(self, revoked: Any) -> None:
        del revoked
        await self._worker.finish_batch()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        del assigned
        self._worker.seek_again()


def _place(raw: Raw) -> TopicPartition:
    return TopicPartition(raw.place.topic, raw.place.partition)


def _raw(record: Any) -> Raw:
    return Raw(
        place=Place(topic=record.topic, partition=record.partition, offset=record.offset),
        key=record.key,
        headers=tuple(record.headers),
        payload=record.value,
        timestamp_ms=record.timestamp,
    )
