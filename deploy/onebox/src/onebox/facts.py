"""Facts as they appear on the topics, for whoever wants to watch."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

from aiokafka import AIOKafkaConsumer

from contracts.catalogue import facts as told_facts
from contracts.envelope import BadEnvelope, Envelope, decode


@dataclass(slots=True)
class Facts:
    """What has been told since somebody began to watch."""

    _waiting: list[Envelope] = field(default_factory=list)

    def new(self, customer_id: str) -> list[Envelope]:
        """Those about one customer that were not given out yet, in the order they came."""
        about = [envelope for envelope in self._waiting if str(envelope.customer_id) == customer_id]
        self._waiting = [envelope for envelope in self._waiting if envelope not in about]
        return about

    def note(self, record: Any) -> None:
        with suppress(BadEnvelope):
            self._waiting.append(decode(record.headers))


@asynccontextmanager
async def following(kafka: str) -> AsyncIterator[Facts]:
    """Watch every fact topic from now on."""
    facts: Final = Facts()
    consumer = AIOKafkaConsumer(*(fact.topic for fact in told_facts()), bootstrap_servers=kafka, auto_offset_reset="latest")
    await consumer.start()
    await consumer.seek_to_end()

    async def watch() -> None:
        async for record in consumer:
            facts.note(record)

    watching = asyncio.create_task(watch())
    try:
        yield facts
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await consumer.stop()
