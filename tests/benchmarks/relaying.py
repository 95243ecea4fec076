"""P5: how fast the relay takes an outbox to Kafka."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg
import msgspec
from aiokafka import AIOKafkaProducer

from benchmarks.frame import Round, at_least, row
from benchmarks.records import TOPIC, create_topic, records
from benchmarks.stage import Stage
from chassis.clock import SystemClock
from chassis.database.worker import WorkerDatabase
from chassis.relay import Relay
from contracts.partitions import partition_for

_SERVICE: Final = "reporting"
"""It tells nothing of its own, so its outbox is free."""
_PREFIX: Final = "bench."
_PARTITIONS: Final = 2
_ROWS: Final = 20_000
_ONE_BY_ONE: Final = 300
_WAVE: Final = 1000

_FILL: Final = """
insert into outbox (lane, entity, topic, key, partition_key, event_id, headers, payload)
select 1, u.id, 'customer.changed', u.id::text, u.id, gen_random_uuid(), $2::json, $3::bytea
  from (select gen_random_uuid() as id from generate_series(1, $1::int)) u
"""
_decode: Final = msgspec.json.Decoder(list[tuple[str, str]]).decode


@row(
    "P5a",
    "relay of 20,000 rows",
    against="waves of 1,000 read, packed, sent, awaited and deleted, and nothing else",
    unit="rows/s",
    rate=True,
    bar=at_least(0.80, aim=0.95),
    cause="the statement that brings each entity's earlier rows along; the limit reads by number alone and keeps no order",
)
async def waves(stage: Stage) -> AsyncIterator[Round]:
    async with _outbox(stage) as (database, kafka):
        while True:
            await _fill(database, _ROWS)
            ours = await _relayed(database, kafka)
            await _fill(database, _ROWS)
            yield Round(ours=ours, limit=await _bare(database, kafka, _WAVE))


@row("P5b", "relay of 20,000 rows", against="one row at a time", unit="rows/s", rate=True, bar=at_least(30, aim=60))
async def beside_one_by_one(stage: Stage) -> AsyncIterator[Round]:
    async with _outbox(stage) as (database, kafka):
        while True:
            await _fill(database, _ROWS)
            ours = await _relayed(database, kafka)
            await _fill(database, _ONE_BY_ONE)
            yield Round(ours=ours, limit=await _bare(database, kafka, 1))


@asynccontextmanager
async def _outbox(stage: Stage) -> AsyncIterator[tuple[WorkerDatabase, str]]:
    database = WorkerDatabase(stage.settings(_SERVICE), SystemClock())
    async with stage.without(_SERVICE):
        await create_topic(stage.suite.kafka, f"{_PREFIX}{TOPIC}", _PARTITIONS)
        await database.open()
        try:
            yield database, stage.suite.kafka
        finally:
            await database.close()


async def _fill(database: WorkerDatabase, rows: int) -> None:
    async with database.direct() as connection:
        await connection.execute("delete from outbox")
        (like,) = records(1)
        await connection.execute(_FILL, rows, like.headers_as_json, like.value)


async def _relayed(database: WorkerDatabase, kafka: str) -> float:
    """Rows a second of our relay, from the first that is gone to the last."""
    relay = Relay(database, kafka=kafka, prefix=_PREFIX)
    running = asyncio.create_task(relay.run())
    try:
        async with database.direct() as connection:
            first = await _until_at_most(connection, _ROWS - 1)
            began = time.perf_counter()
            await _until_at_most(connection, 0)
            return first / (time.perf_counter() - began)
    finally:
        relay.stop()
        await running


async def _until_at_most(connection: "asyncpg.Connection[Any]", rows: int) -> int:
    """Wait until so few are left; how many there are."""
    async with asyncio.timeout(60):
        while (left := int(await connection.fetchval("select count(*) from outbox"))) > rows:  # noqa: ASYNC110 (another process changes it)
            await asyncio.sleep(0.005)
    return left


async def _bare(database: WorkerDatabase, kafka: str, wave: int) -> float:
    """Rows a second without our code, from after the first wave on, as ours."""
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka, acks="all", enable_idempotence=True, compression_type="lz4", max_batch_size=262_144
    )
    await producer.start()
    try:
        async with database.direct() as connection:
            await _a_wave(connection, producer, wave)
            sent, began = 0, time.perf_counter()
            while more := await _a_wave(connection, producer, wave):
                sent += more
            return sent / (time.perf_counter() - began)
    finally:
        await producer.stop()


async def _a_wave(connection: "asyncpg.Connection[Any]", producer: AIOKafkaProducer, wave: int) -> int:
    rows = await connection.fetch("select id, key, partition_key, headers, payload from outbox order by id limit $1", wave)
    batches = [producer.create_batch() for _ in range(_PARTITIONS)]
    waiting = []
    for one in rows:
        partition = partition_for(one["partition_key"], _PARTITIONS)
        headers = [(name, value.encode()) for name, value in _decode(one["headers"])]
        whole = {"key": one["key"].encode(), "value": one["payload"], "timestamp": None, "headers": headers}
        if batches[partition].append(**whole) is None:
            waiting.append(await producer.send_batch(batches[partition], _PREFIX + TOPIC, partition=partition))
            batches[partition] = producer.create_batch()
            batches[partition].append(**whole)
    for partition, batch in enumerate(batches):
        if batch.record_count():
            waiting.append(await producer.send_batch(batch, _PREFIX + TOPIC, partition=partition))
    await asyncio.gather(*waiting)
    await connection.execute("delete from outbox where id = any($1::bigint[])", [one["id"] for one in rows])
    return len(rows)
