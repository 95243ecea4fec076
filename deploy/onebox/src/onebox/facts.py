"""Facts as they appear on the topics, for whoever wants to watch."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

from aiokafka import AIOKafkaConsumer

from contracts.catalogue import facts as told_facts
from contracts.envelope import BadEnvelope, decode


@dataclass(slots=True)
class Facts:
    """What has been told since somebody began to watch."""

    _seen: list[str] = field(default_factory=list)
    _shown: int = 0

    def new(self) -> list[str]:
        """Those not shown yet, in the order they came."""
        fresh = self._seen[self._shown :]
        self._shown = len(self._seen)
        return fresh

    def note(self, record: Any) -> None:
        with suppress(BadEnvelope):
            envelope = decode(record.headers)
            self._seen.append(f"{envelope.type:<28} {envelope.aggregate_type} {envelope.subject} v{envelope.aggregate_version}")


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
