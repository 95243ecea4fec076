"""Where a worker begins to read: at the fences, unless the log itself is another than it was.

A fence beyond the end of its partition means that the topic was made anew: it is read again
from its start, which versions and inbox make harmless, and said loudly. A topic that was made
anew and has grown past the fence before anybody looked cannot be told from the old one: stop
its readers first, or set their fences back. A fence before the beginning means that records
were deleted unread: that is said too, and reading goes on with what there is.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from prometheus_client import Counter

from chassis.consumers import fences
from chassis.database.worker import WorkerDatabase
from chassis.metrics import REGISTRY

log = structlog.get_logger()

RECREATED: Final = Counter(
    "consumer_topic_recreated", "Fences that stood beyond the end of their partition", ("consumer",), registry=REGISTRY
)
EXPIRED: Final = Counter("consumer_records_expired", "Records that were deleted before they were read", ("consumer",), registry=REGISTRY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Where one partition is begun, and where its log ended at that moment."""

    fence: int
    offset: int
    end: int


async def starts(
    kafka: AIOKafkaConsumer, database: WorkerDatabase, group: str, partitions: Collection[TopicPartition]
) -> dict[TopicPartition, Start]:
    """Where to go on, per partition; fences of topics that were made anew are set back."""
    if not partitions:
        return {}
    async with database.work() as work:
        stood = await fences.of(work.session, group, [(tp.topic, tp.partition) for tp in partitions])
    firsts = await kafka.beginning_offsets(list(partitions))
    ends = await kafka.end_offsets(list(partitions))
    found = {tp: _start(stood.get((tp.topic, tp.partition)), firsts[tp], ends[tp]) for tp in partitions}
    anew = {tp: start for tp, start in found.items() if start.fence < stood.get((tp.topic, tp.partition), 0)}
    if anew:
        moved = {(tp.topic, tp.partition): (stood[tp.topic, tp.partition], start.fence) for tp, start in anew.items()}
        async with database.work() as work:
            await fences.rewind(work.session, group, moved)
        RECREATED.labels(group).inc(len(anew))
        log.error(
            "topic_recreated", consumer=group, partitions={f"{tp.topic}/{tp.partition}": moved[tp.topic, tp.partition] for tp in anew}
        )
    _mourn(group, found, stood)
    return found


def _start(fence: int | None, first: int, end: int) -> Start:
    if fence is None or fence > end:
        return Start(fence=0, offset=first, end=end)
    return Start(fence=fence, offset=max(fence, first), end=end)


def _mourn(group: str, found: dict[TopicPartition, Start], stood: dict[fences.TopicPartition, int]) -> None:
    for tp, start in found.items():
        missed = start.offset - start.fence
        if missed > 0 and stood.get((tp.topic, tp.partition)) == start.fence:
            EXPIRED.labels(group).inc(missed)
            log.error("records_expired_unread", consumer=group, topic=tp.topic, partition=tp.partition, missed=missed)
