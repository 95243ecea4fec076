"""What a worker does beside its batches, once a second: say how far it is, and forget what is too old.

Offsets are committed for whoever watches the lag, and no batch waits for that: the fences are
what counts.
"""

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from sqlalchemy.exc import SQLAlchemyError

from chassis.consumers import cleaning, progress
from chassis.consumers.handlers import Consumer
from chassis.consumers.lag import Lag
from chassis.database.worker import WorkerDatabase

log = structlog.get_logger()

_LOOK: Final = 1.0
_CLEAN: Final = 3600.0
_SHOWN_WITHIN: Final = 2.0


class Housework:
    """The housework of one worker. What fails here is done the next time: nothing depends on it."""

    def __init__(self, consumer: Consumer, database: WorkerDatabase, lag: Lag) -> None:
        self._consumer = consumer
        self._database = database
        self._lag = lag
        self._next_look = 0.0
        self._next_cleaning = 0.0
        self._unshown: dict[TopicPartition, int] = {}

    def took(self, offsets: Mapping[TopicPartition, int]) -> None:
        """What stands before these offsets has taken effect."""
        self._unshown.update(offsets)

    async def show(self, kafka: AIOKafkaConsumer) -> None:
        """Commit the offsets reached; those of partitions that went to another reader are that one's to show."""
        still = kafka.assignment()
        offsets = {tp: offset for tp, offset in self._unshown.items() if tp in still}
        self._unshown.clear()
        if offsets:
            try:
                async with asyncio.timeout(_SHOWN_WITHIN):
                    await kafka.commit(offsets)
            except (KafkaError, TimeoutError) as failure:
                log.info("offsets_not_shown", consumer=self._consumer.group, reason=repr(failure))

    async def look(self, kafka: AIOKafkaConsumer) -> None:
        """Show how far it is; partitions with nothing left to read are as of now. Once an hour, forget what is too old."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + _LOOK
        await self.show(kafka)
        as_of = {tp: at for tp in kafka.assignment() if (at := await drained(kafka, tp))}
        for tp, at in as_of.items():
            self._lag.reach(tp, at.timestamp())
        try:
            async with self._database.work() as work:
                if self._consumer.projects:
                    await progress.reach(work.session, self._consumer.group, {(tp.topic, tp.partition): at for tp, at in as_of.items()})
                if now >= self._next_cleaning and not await cleaning.forget(work.session):
                    self._next_cleaning = now + _CLEAN
        except (SQLAlchemyError, OSError) as failure:
            log.info("housework_failed", consumer=self._consumer.group, reason=repr(failure))


async def drained(kafka: AIOKafkaConsumer, tp: TopicPartition) -> datetime | None:
    """When the broker last said that nothing lies behind the position; None where something does, or it has not said."""
    end, at = kafka.highwater(tp), kafka.last_poll_timestamp(tp)
    if end is None or at is None or await kafka.position(tp) < end:
        return None
    return datetime.fromtimestamp(at / 1000, UTC)
