"""P7: how soon a change shows where others look."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from statistics import median, quantiles
from typing import Any, Final
from uuid import UUID

import asyncpg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from benchmarks.frame import Round, at_most, row
from benchmarks.records import create_topic
from benchmarks.stage import Stage
from chassis.clock import SystemClock
from chassis.database.worker import WorkerDatabase
from customers.rules.telling import tell_customer
from customers.tables.customers import Customer

_PER_SECOND: Final = 200
_CHANGES: Final = 600
_LOOK_EVERY: Final = 0.002
_TOPIC: Final = "bench.round-trip"
_NEVER: Final = 2**63


@row(
    "P7a",
    "from a commit until its row shows in reporting, 200 changes/s, median",
    against="median of a bare record from its producer to a consumer",
    unit="ms",
    bar=at_most(8, aim=4),
    cause="a twentieth is until the record is in its topic; then all who follow it share two cores with the whole suite. In batches of ten"
    " a change costs licensing 3 ms of CPU, for its steps look at one at a time, and reporting 0.8 ms",
)
async def shown(stage: Stage) -> AsyncIterator[Round]:
    async with _changing(stage) as delays:
        while True:
            yield Round(ours=median(await delays()) * 1e3, limit=median(await _round_trips(stage)) * 1e3)


@row("P7b", "the same, 99 of 100", against="the same", unit="ms")
async def shown_at_last(stage: Stage) -> AsyncIterator[Round]:
    async with _changing(stage) as delays:
        while True:
            ours, bare = await delays(), await _round_trips(stage)
            yield Round(ours=quantiles(ours, n=100)[98] * 1e3, limit=quantiles(bare, n=100)[98] * 1e3)


@asynccontextmanager
async def _changing(stage: Stage) -> AsyncIterator[Callable[[], Awaitable[list[float]]]]:
    customers = (await stage.customers())[:_CHANGES]
    async with changes(stage) as database, stage.database("reporting") as reporting:
        yield partial(_delays, database, reporting, await stage.partner_id(), customers)


@asynccontextmanager
async def changes(stage: Stage) -> AsyncIterator[WorkerDatabase]:
    """The customers' database, to change customers in."""
    database = WorkerDatabase(stage.settings("customers"), SystemClock())
    await database.open()
    try:
        yield database
    finally:
        await database.close()


async def change(database: WorkerDatabase, partner_id: UUID, customers: Sequence[UUID]) -> dict[UUID, int]:
    """Change customers in one transaction, and tell of it as the service does: their versions now."""
    versions: dict[UUID, int] = {}
    async with database.work() as work, work.item(partner_id) as tx:
        for customer_id in customers:
            customer = await tx.session.get_one(Customer, (partner_id, customer_id))
            customer.updated_at = tx.now
            await tx.session.flush()
            tell_customer(tx, customer)
            versions[customer_id] = customer.version
    return versions


async def until_shown(reporting: "asyncpg.Connection[Any]", waited: dict[UUID, int]) -> AsyncIterator[UUID]:
    """Each customer as soon as reporting shows it at its version, or a later one; more may be waited for meanwhile."""
    while True:
        rows = await reporting.fetch("select id, version from customer_overview where id = any($1::uuid[])", list(waited))
        for one in rows:
            if one["version"] >= waited.get(one["id"], _NEVER):
                del waited[one["id"]]
                yield one["id"]
        await asyncio.sleep(_LOOK_EVERY)


async def _delays(
    database: WorkerDatabase, reporting: "asyncpg.Connection[Any]", partner_id: UUID, customers: Sequence[UUID]
) -> list[float]:
    """Seconds from each commit until its row shows."""
    committed: dict[UUID, float] = {}
    waited: dict[UUID, int] = {}

    async def one(customer_id: UUID) -> None:
        waited.update(await change(database, partner_id, [customer_id]))
        committed[customer_id] = time.perf_counter()

    changing = asyncio.create_task(_steadily(one, customers))
    delays: list[float] = []
    async with asyncio.timeout(60):
        async for customer_id in until_shown(reporting, waited):
            delays.append(time.perf_counter() - committed[customer_id])
            if len(delays) == len(customers):
                break
    await changing
    return delays


async def _round_trips(stage: Stage) -> list[float]:
    """Seconds from a producer to a consumer, at the same pace."""
    await create_topic(stage.suite.kafka, _TOPIC, 1)
    producer = AIOKafkaProducer(bootstrap_servers=stage.suite.kafka, acks="all", linger_ms=0)
    consumer = AIOKafkaConsumer(bootstrap_servers=stage.suite.kafka, enable_auto_commit=False)
    await producer.start()
    await consumer.start()
    try:
        place = TopicPartition(_TOPIC, 0)
        consumer.assign([place])
        await consumer.seek_to_end(place)
        await consumer.position(place)

        async def one(_: int) -> None:
            await producer.send(_TOPIC, repr(time.perf_counter()).encode(), partition=0)

        sending = asyncio.create_task(_steadily(one, range(_CHANGES)))
        delays: list[float] = []
        while len(delays) < _CHANGES:
            delays += [
                time.perf_counter() - float(record.value) for record in (await consumer.getmany(place, timeout_ms=1000)).get(place, [])
            ]
        await sending
        return delays
    finally:
        await consumer.stop()
        await producer.stop()


async def _steadily[T](do: Callable[[T], Coroutine[Any, Any, None]], each: Iterable[T]) -> None:
    """Begin one after another at the pace of the row, however long each takes."""
    began = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for number, one in enumerate(each):
            await asyncio.sleep(max(0.0, began + number / _PER_SECOND - time.perf_counter()))
            tasks.create_task(do(one))
