"""The loop of one consumer group: assigned partitions are sought to their fences, batches applied, lag shown.

A batch in hand is finished before partitions are given away. A failure of the world waits and
tries the same batch again: nothing is skipped. A defect, or more poison than comes by chance,
stops the consumer where it stands: the process goes on without it and is not ready. A defect is
tried again ever more rarely, the outage brake waits to be released.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import IllegalStateError, KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError
from sqlalchemy.exc import SQLAlchemyError

from chassis.consumers import brake, progress
from chassis.consumers.batches import Batches, Defect, FencesBehind
from chassis.consumers.brake import Brake, Braked
from chassis.consumers.fetching import fetch, fetch_one_by_one
from chassis.consumers.handlers import Consumer
from chassis.consumers.housework import Housework
from chassis.consumers.lag import Lag
from chassis.consumers.parking import Raw
from chassis.consumers.seeking import starts
from chassis.consumers.showing import Showing
from chassis.consumers.standing import Standing
from chassis.database.worker import WorkerDatabase
from chassis.loops import pause

log = structlog.get_logger()

_SHOWS_WITHIN: Final = 1.0


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
        self._showing = Showing(consumer.group)
        self._in_hand = asyncio.Lock()
        self._stopping = asyncio.Event()
        self.name: Final = consumer.group
        self._standing = Standing(consumer.group, slot, database, self._batches.brake)
        self._behind: dict[TopicPartition, int] | None = None
        self._sought = True
        self._begun = False
        self._carefully = False

    @property
    def failures(self) -> int:
        """Failures in a row of the batch in hand; 0 while all is well (readiness)."""
        return self._standing.failures

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
                self._standing.failed("broker_lost", lost)
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
        try:
            await kafka.start()
            while not self._stopping.is_set():
                await self._turn(kafka)
            await self._housework.show(kafka)
        finally:
            await self._showing.end(kafka, within=_SHOWS_WITHIN)
            await asyncio.shield(kafka.stop())

    async def _turn(self, kafka: AIOKafkaConsumer) -> None:
        if not self._sought and not await self._seek(kafka):
            await self._pause()
            return
        await self._work_off(kafka, await self._fetch(kafka))
        async with self._in_hand:
            if self._sought and not self._stopping.is_set():
                await self._housework.look(kafka)
        self._showing.look(kafka)

    async def _fetch(self, kafka: AIOKafkaConsumer) -> list[Raw]:
        carefully, self._carefully = self._carefully, False
        try:
            return await (fetch_one_by_one(kafka) if carefully else fetch(kafka))
        except (OffsetOutOfRangeError, NoOffsetForPartitionError):
            self.seek_again()
        except UnicodeDecodeError:
            self._carefully = True
            self.seek_again()
        return []

    async def _work_off(self, kafka: AIOKafkaConsumer, batch: Sequence[Raw]) -> None:
        """Try a batch until it has taken effect; what is no longer ours is left to its new reader."""
        while batch and self._sought and not self._stopping.is_set():
            async with self._in_hand:
                still = kafka.assignment()
                batch = [raw for raw in batch if _place(raw) in still]
                if await self._attempt(batch):
                    self._note(batch)
                    return
            await self._pause()

    async def _attempt(self, batch: Sequence[Raw]) -> bool:
        try:
            if not await self._standing.may_go_on() or not self._sought:
                return False
            await self._batches.apply(batch)
        except Braked as braked:
            await self._standing.braked(braked)
        except Defect as defect:
            self._standing.stopped_by(defect)
        except FencesBehind:
            log.error("fences_behind", consumer=self.name)  # noqa: TRY400 (why is in the name, where is of no interest)
            self.seek_again()
        except Exception as failure:  # noqa: BLE001 (a delivery loop: the batch is tried again, nothing is skipped)
            self._standing.failed("batch_failed", failure, records=len(batch))
        else:
            self._standing.well()
            return True
        return False

    def _note(self, batch: Sequence[Raw]) -> None:
        self._housework.took({_place(raw): raw.place.offset + 1 for raw in batch})
        for raw in batch:
            self._lag.reach(_place(raw), raw.timestamp_ms / 1000)
            self._showing.reach(_place(raw), raw.place.offset + 1)
            if self._behind and raw.place.offset + 1 >= self._behind.get(_place(raw), 0):
                self._behind.pop(_place(raw), None)

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
            self._standing.failed("seek_failed", failure)
            self._sought = False
            return False
        self._batches.begin({(tp.topic, tp.partition): start.fence for tp, start in found.items()})
        self._behind = {tp: start.end for tp, start in found.items() if start.offset < start.end}
        self._lag.follow(assigned)
        self._standing.well()
        return True

    async def _begin(self, assigned: Sequence[TopicPartition]) -> None:
        async with self._database.work() as work:
            if not self._begun:
                await brake.release(
                    work.session, self.name, by="restart", because="the consumer was started again", allowance=0, slot=self._slot
                )
            if self._consumer.projects:
                topics = [self._prefix + topic for topic in self._consumer.topics()]
                await progress.begin(work.session, self.name, topics, [(tp.topic, tp.partition) for tp in assigned])
        self._begun = True

    async def _pause(self) -> None:
        await pause(self._stopping, self._standing.next_try)

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
