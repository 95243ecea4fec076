"""Fetching records as they are.

The client decodes the names of headers itself, and one that is not UTF-8 makes it lose, without
a word, what it had fetched before that record. Then the positions are worth nothing, and one
batch is fetched record by record from the fences on, up to the one that cannot be handed over:
it is represented by a record without bytes, which is parked for what it is.
"""

from typing import Any, Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from chassis.consumers.events import Place
from chassis.consumers.parking import Raw

log = structlog.get_logger()

BATCH: Final = 500
_WAIT_MS: Final = 50
_LOST: Final = ("unreadable", b"the name of a header is not UTF-8; the bytes are in the topic")


async def fetch(kafka: AIOKafkaConsumer, *, most: int = BATCH) -> list[Raw]:
    """What came within a moment.

    Raises:
        UnicodeDecodeError: a record could not be handed over, and others are lost with it; seek, and ``fetch_one_by_one``.
    """
    fetched = await kafka.getmany(timeout_ms=_WAIT_MS, max_records=most)
    return [_raw(record) for records in fetched.values() for record in records]


async def fetch_one_by_one(kafka: AIOKafkaConsumer) -> list[Raw]:
    """As ``fetch``, at most up to the first record that cannot be handed over."""
    found: list[Raw] = []
    for tp in sorted(kafka.assignment()):
        while len(found) < BATCH:
            try:
                fetched = await kafka.getmany(tp, timeout_ms=_WAIT_MS, max_records=1)
            except UnicodeDecodeError:
                return [*found, await _pass_over(kafka, tp)]
            if not fetched:
                break
            found += [_raw(record) for record in fetched[tp]]
    return found


async def _pass_over(kafka: AIOKafkaConsumer, tp: TopicPartition) -> Raw:
    place = Place(topic=tp.topic, partition=tp.partition, offset=await kafka.position(tp))
    kafka.seek(tp, place.offset + 1)
    log.error("record_unreadable", topic=place.topic, partition=place.partition, offset=place.offset)
    return Raw(place=place, key=None, headers=(_LOST,), payload=b"", timestamp_ms=0)


def _raw(record: Any) -> Raw:
    return Raw(
        place=Place(topic=record.topic, partition=record.partition, offset=record.offset),
        key=record.key,
        headers=tuple(record.headers),
        payload=record.value,
        timestamp_ms=record.timestamp,
    )
