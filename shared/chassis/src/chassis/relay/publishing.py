"""Publishing a wave: rows packed into batches, each sent and waited for.

The batches of one partition are sent one after another, and none after one that failed, so
what stands in a partition is always a beginning of what was to stand there. A row without a
partition key, a beat, goes to every partition of its topic. Batches are built here and handed
over whole: that costs a third of sending row by row.
"""

import asyncio
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError

from chassis.relay.reading import Rows
from contracts.partitions import partition_for

_ACK_WITHIN: Final = 3.0
"""Below the session timeout of the lock's connection: a slow broker must not cost the lock."""
_KNOW_WITHIN: Final = 3.0
_ASKED: Final = 2
"""Times: the first answer may be to what was asked before."""

type Place = tuple[str, int]

_partition_of: Final = lru_cache(maxsize=16_384)(partition_for)
_decode: Final = msgspec.json.Decoder(list[tuple[str, str]]).decode


@dataclass(slots=True)
class Batch:
    """Rows that go to one partition together: the broker takes all of them or none."""

    builder: Any
    ids: list[int] = field(default_factory=list)
    full: bool = False
    acknowledged: bool = False


@dataclass(slots=True)
class Outcome:
    """What became of a wave. What is neither acknowledged nor refused is unknown, and sent again."""

    acknowledged: set[int] = field(default_factory=set)
    too_large: list[list[int]] = field(default_factory=list)
    """Rows of batches that the broker refused for their size."""
    failure: Exception | None = None


class Publisher:
    """Publishes through one producer, whose sequence is broken by the first failure: then both are thrown away."""

    def __init__(self, producer: AIOKafkaProducer, prefix: str) -> None:
        self._producer = producer
        self._prefix = prefix
        self._partitions: dict[str, int] = {}

    async def missing(self, topics: Collection[str]) -> set[str]:
        """Those of these topics of which the broker says that they do not exist. How many partitions one has never changes.

        Raises:
            KafkaError, TimeoutError: the broker says nothing.
        """
        client, unknown = self._producer.client, set(topics) - self._partitions.keys()
        async with asyncio.timeout(_KNOW_WITHIN):
            asked = 0
            while unknown and asked < _ASKED:
                for topic in unknown:
                    client.add_topic(self._prefix + topic)
                if not await client.force_metadata_update():
                    raise KafkaError("the broker does not say which topics there are")
                for topic in unknown:
                    if partitions := client.cluster.partitions_for_topic(self._prefix + topic):
                        self._partitions[topic] = len(partitions)
                unknown -= self._partitions.keys()
                asked += 1
        return unknown

    async def publish(self, rows: Rows, alone: Collection[int]) -> Outcome:
        """Send rows of topics that exist and wait for the broker, at most 3 s. Rows of ``alone`` get a batch of their own."""
        outcome = Outcome()
        packed = self._pack(rows, alone)
        sends = [self._send(place, batches, outcome) for place, batches in packed.items()]
        try:
            async with asyncio.timeout(_ACK_WITHIN):
                await asyncio.gather(*sends)
        except TimeoutError as late:
            outcome.failure = late
        for batches in packed.values():
            _take_back(batches, outcome)
        return outcome

    def _pack(self, rows: Rows, alone: Collection[int]) -> dict[Place, list[Batch]]:
        """Batches by partition."""
        packed: dict[Place, list[Batch]] = {}
        for row in rows:
            for partition in _partitions_of(row["partition_key"], self._partitions[row["topic"]]):
                self._put(packed.setdefault((row["topic"], partition), []), row, alone=row["id"] in alone)
        return packed

    def _put(self, batches: list[Batch], row: asyncpg.Record, *, alone: bool) -> None:
        if not batches or batches[-1].full or alone or not _append(batches[-1], row):
            batches.append(Batch(self._producer.create_batch(), full=alone))
            _append(batches[-1], row)

    async def _send(self, place: Place, batches: list[Batch], outcome: Outcome) -> None:
        topic, partition = place
        for batch in batches:
            try:
                await (await self._producer.send_batch(batch.builder, self._prefix + topic, partition=partition))
            except (MessageSizeTooLargeError, RecordListTooLargeError):
                outcome.too_large.append(batch.ids)
                return
            except KafkaError as failure:
                outcome.failure = failure
                return
            batch.acknowledged = True
            outcome.acknowledged.update(batch.ids)


def _partitions_of(key: UUID | None, partitions: int) -> Iterable[int]:
    return range(partitions) if key is None else (_partition_of(key, partitions),)


def _take_back(batches: Iterable[Batch], outcome: Outcome) -> None:
    """A row that went to several partitions is acknowledged when all of them have it."""
    for batch in batches:
        if not batch.acknowledged:
            outcome.acknowledged.difference_update(batch.ids)


def _append(batch: Batch, row: asyncpg.Record) -> bool:
    """Whether the row fitted in; the first always does."""
    headers = [(name, value.encode()) for name, value in _decode(row["headers"])]
    if batch.builder.append(timestamp=None, key=row["key"].encode(), value=row["payload"], headers=headers) is None:
        return False
    batch.ids.append(row["id"])
    return True
