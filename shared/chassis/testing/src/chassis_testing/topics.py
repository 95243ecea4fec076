"""Topics for tests: only those a test module names, under a prefix of its own; and reading what stands in them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from chassis.ids import new_id
from contracts.beats import is_beat, told_at
from contracts.envelope import Envelope, decode

AUDIT: Final = "audit.recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stood:
    """One record as it stands in a topic."""

    partition: int
    offset: int
    key: bytes | None
    envelope: Envelope
    payload: bytes | None


@dataclass(frozen=True, slots=True)
class Beat:
    """One beat as it stands in a topic."""

    partition: int
    offset: int
    key: bytes | None
    at: datetime
    payload: bytes | None


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one test, in Kafka."""

    kafka: str
    prefix: str

    async def create(self, *names: str, partitions: int = 2) -> None:
        """Make topics, and the one to which every change by a person is told (``audit.recorded``)."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.kafka)
        await admin.start()
        try:
            await admin.create_topics([NewTopic(self.prefix + name, partitions, 1) for name in {*names, AUDIT}])
        finally:
            await admin.close()

    async def everything(self, *names: str) -> list[Stood]:
        """All that stands in these topics now but beats, in the order of each partition."""
        return [
            Stood(partition=one.partition, offset=one.offset, key=one.key, envelope=decode(one.headers), payload=one.value)
            for one in await self._records(*names)
            if not is_beat(one.headers)
        ]

    async def beats(self, *names: str) -> list[Beat]:
        """The beats that stand in these topics now, in the order of each partition."""
        return [
            Beat(partition=one.partition, offset=one.offset, key=one.key, at=at, payload=one.value)
            for one in await self._records(*names)
            if (at := told_at(one.headers)) is not None
        ]

    async def ends_without_beats(self, *names: str) -> dict[TopicPartition, int]:
        """Where each partition of these topics would end now if the beats after its last record were not there."""
        return {TopicPartition(one.topic, one.partition): one.offset + 1 for one in await self._records(*names) if not is_beat(one.headers)}

    async def _records(self, *names: str) -> list[Any]:
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka, enable_auto_commit=False)
        await consumer.start()
        try:
            places = await _places(consumer, [self.prefix + name for name in names])
            consumer.assign(places)
            await consumer.seek_to_beginning(*places)
            return await _read(consumer, await consumer.end_offsets(places))
        finally:
            await consumer.stop()

    async def sizes(self, name: str) -> list[int]:
        """How many records each partition of a topic has ever got."""
        ends = await self.ends(name)
        return [ends[place] for place in sorted(ends)]

    async def ends(self, *names: str) -> dict[TopicPartition, int]:
        """Where each partition of these topics ends now."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka, enable_auto_commit=False)
        await consumer.start()
        try:
            ends: dict[TopicPartition, int] = await consumer.end_offsets(await _places(consumer, [self.prefix + name for name in names]))
            return ends
        finally:
            await consumer.stop()


@pytest.fixture
def topics(kafka: str) -> Topics:
    """Topics under a prefix that no other test has."""
    return Topics(kafka, f"t{new_id().hex[-12:]}.")


async def _places(consumer: AIOKafkaConsumer, names: Iterable[str]) -> list[TopicPartition]:
    for name in names:
        consumer._client.add_topic(name)  # noqa: SLF001 (aiokafka offers no public way to ask about a topic it does not follow)
    await consumer._client.force_metadata_update()  # noqa: SLF001
    return [TopicPartition(name, number) for name in names for number in consumer.partitions_for_topic(name) or ()]


async def _read(consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> list[Any]:
    found: list[Any] = []
    waiting: Sequence[TopicPartition] = [place for place, end in ends.items() if end]
    while waiting:
        for records in (await consumer.getmany(timeout_ms=200)).values():
            found += records
        waiting = [place for place in waiting if await consumer.position(place) < ends[place]]
    return found
