"""P6 and P16: what an event costs that becomes a row of a read model, alone and in several workers."""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from benchmarks.frame import Round, at_least, row
from benchmarks.records import TOPIC, Told, create_topic, records
from benchmarks.stage import Stage
from chassis.access import projection
from chassis.clock import SystemClock
from chassis.consumers import Consumer
from chassis.consumers.worker import ConsumerWorker
from chassis.database.worker import WorkerDatabase
from chassis.ids import new_id
from contracts.customers.customers import CustomerChanged

_SERVICE: Final = "reporting"
_EVENTS: Final = 10_000
_BATCH: Final = 500
_number: Final = itertools.count()

_UPSERT: Final = """
insert into access_customers as kept (partner_id, id, version, status, management_type, tags)
select u.partner_id, u.id, u.version, u.status, u.management_type, '{}'::text[]
  from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::text[]) as u(partner_id, id, version, status, management_type)
on conflict (id) do update set partner_id = excluded.partner_id, version = excluded.version, status = excluded.status,
   management_type = excluded.management_type, tags = excluded.tags where kept.version < excluded.version
"""


class _State(msgspec.Struct):
    id: UUID
    partner_id: UUID
    status: str
    management_type: str


class _Changed(msgspec.Struct):
    state: _State


_decode: Final = msgspec.json.Decoder(_Changed).decode


@row(
    "P6",
    "events that become rows of a read model, one worker",
    against="getmany, msgspec and unnest of the same rows, and nothing else",
    unit="events/s",
    rate=True,
    bar=at_least(0.60, aim=0.80),
    cause="a third is reading each record whole, by its published model and with its envelope, where the limit reads four members",
)
async def projected(stage: Stage) -> AsyncIterator[Round]:
    async with _database(stage) as database:
        while True:
            name = await _told(stage.suite.kafka, 1)
            ours = await _consumed(database, stage.suite.kafka, name, 1)
            yield Round(ours=ours.per_second, limit=await _bare(database, stage.suite.kafka, name))


def _grown(workers: int) -> None:
    @row(
        f"P16.{workers}",
        f"an event in {workers} workers, each with a partition",
        against="an event in one worker",
        unit="µs CPU",
        bar=at_least(0.9, aim=0.97),
    )
    async def grown(stage: Stage) -> AsyncIterator[Round]:
        async with _database(stage) as database:
            while True:
                alone = await _consumed(database, stage.suite.kafka, await _told(stage.suite.kafka, 1), 1)
                together = await _consumed(database, stage.suite.kafka, await _told(stage.suite.kafka, workers), workers)
                yield Round(ours=together.cpu, limit=alone.cpu)


_grown(2)
_grown(4)


class _Consumed(msgspec.Struct):
    per_second: float
    cpu: float
    """Microseconds for each event."""


@asynccontextmanager
async def _database(stage: Stage) -> AsyncIterator[WorkerDatabase]:
    database = WorkerDatabase(stage.settings(_SERVICE), SystemClock())
    async with stage.without(_SERVICE):
        await database.open()
        try:
            yield database
        finally:
            await database.close()


async def _told(kafka: str, partitions: int) -> str:
    """A fresh topic's prefix, with the same number of events in each partition."""
    prefix = f"bench{next(_number)}{new_id().hex[-6:]}."
    await create_topic(kafka, prefix + TOPIC, partitions)
    producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all", compression_type="lz4", max_batch_size=262_144)
    await producer.start()
    try:
        for partition in range(partitions):
            await _send(producer, prefix + TOPIC, partition, records(_EVENTS))
    finally:
        await producer.stop()
    return prefix


async def _send(producer: AIOKafkaProducer, topic: str, partition: int, all_of_them: Sequence[Told]) -> None:
    for some in itertools.batched(all_of_them, _BATCH, strict=False):
        batch = producer.create_batch()
        for key, value, headers in some:
            if batch.append(key=key, value=value, timestamp=None, headers=headers) is None:
                await (await producer.send_batch(batch, topic, partition=partition))
                batch = producer.create_batch()
                batch.append(key=key, value=value, timestamp=None, headers=headers)
        await (await producer.send_batch(batch, topic, partition=partition))


async def _consumed(database: WorkerDatabase, kafka: str, prefix: str, workers: int) -> _Consumed:
    """Our consumer from the first effect to the last."""
    handlers = [one for one in projection.consumer(_SERVICE).handlers if one.record is CustomerChanged]
    consumer = Consumer(group="bench", handlers=handlers)
    running = [ConsumerWorker(consumer, database, kafka=kafka, prefix=prefix, slot=str(slot)) for slot in range(workers)]
    tasks = [asyncio.create_task(worker.run()) for worker in running]
    try:
        first = await _until_passed(database, prefix, 1)
        began, used = time.perf_counter(), time.process_time()
        last = await _until_passed(database, prefix, workers * _EVENTS)
        counted = last - first
        return _Consumed(per_second=counted / (time.perf_counter() - began), cpu=(time.process_time() - used) / counted * 1e6)
    finally:
        for worker in running:
            worker.stop()
        await asyncio.gather(*tasks)


async def _until_passed(database: WorkerDatabase, prefix: str, events: int) -> int:
    """Wait until the fences say so; how many they say."""
    async with asyncio.timeout(120), database.direct() as connection:
        while True:
            passed = await connection.fetchval("select coalesce(sum(next_offset), 0) from fences where topic = $1", prefix + TOPIC)
            if passed >= events:
                return int(passed)
            await asyncio.sleep(0.01)


async def _bare(database: WorkerDatabase, kafka: str, prefix: str) -> float:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False)
    await consumer.start()
    try:
        async with database.direct() as connection:
            await connection.execute("delete from access_customers")
            place = TopicPartition(prefix + TOPIC, 0)
            consumer.assign([place])
            await consumer.seek_to_beginning(place)
            first = await _a_batch(connection, consumer, place)
            counted, began = first, time.perf_counter()
            while counted < _EVENTS:
                counted += await _a_batch(connection, consumer, place)
            return (counted - first) / (time.perf_counter() - began)
    finally:
        await consumer.stop()


async def _a_batch(connection: "asyncpg.Connection[Any]", consumer: AIOKafkaConsumer, place: TopicPartition) -> int:
    records = (await consumer.getmany(place, timeout_ms=500, max_records=_BATCH)).get(place, [])
    states = [_decode(one.value).state for one in records]
    columns = zip(*((one.partner_id, one.id, 1, one.status, one.management_type) for one in states), strict=True)
    await connection.execute(_UPSERT, *map(list, columns))
    return len(records)
