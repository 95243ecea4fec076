"""Showing how far a group has read: offsets committed to Kafka, once a second, for whoever watches the lag.

The fences are what counts. So this happens beside the batches, and a coordinator that is away
costs the figures and nothing else.
"""

import asyncio
import time
from typing import Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

log = structlog.get_logger()

_EVERY: Final = 1.0
_WITHIN: Final = 5.0


class Showing:
    """What one worker of a group shows."""

    def __init__(self, group: str) -> None:
        self._group = group
        self._reached: dict[TopicPartition, int] = {}
        self._next = 0.0
        self._task: asyncio.Task[None] | None = None

    def reach(self, place: TopicPartition, offset: int) -> None:
        """Everything before this offset has taken effect."""
        self._reached[place] = offset

    def look(self, kafka: AIOKafkaConsumer) -> None:
        """Show it, when it is time and the last time is over."""
        now = time.monotonic()
        if self._reached and now >= self._next and (self._task is None or self._task.done()):
            self._next = now + _EVERY
            self._task = asyncio.create_task(self._show(kafka))

    async def end(self, kafka: AIOKafkaConsumer, *, within: float) -> None:
        """Show what is left, if that can be done in so many seconds."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._show(kafka, within=within)

    async def _show(self, kafka: AIOKafkaConsumer, *, within: float = _WITHIN) -> None:
        reached, self._reached = self._reached, {}
        mine = {place: offset for place, offset in reached.items() if place in kafka.assignment()}
        try:
            async with asyncio.timeout(within):
                if mine:
                    await kafka.commit(mine)
        except (KafkaError, TimeoutError) as failure:
            self._reached = reached | self._reached
            log.info("offsets_not_shown", consumer=self._group, reason=repr(failure))
