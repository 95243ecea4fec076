"""The whole service as a process, on real PostgreSQL and real Kafka: what it is told becomes what it tells, once (CUS-15, LIC-01)."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from aiokafka import AIOKafkaProducer

from chassis.clock import SystemClock
from chassis.consumers.events import Event
from chassis.database import DatabaseSettings, WorkerDatabase
from chassis.ids import new_id
from chassis_testing.topics import Topics
from chassis_testing.waiting import eventually
from contracts.customers.customers import CustomerChanged
from contracts.envelope import encode
from contracts.licensing.subscriptions import SubscriptionChanged, TrialStarted
from contracts.partitions import partition_for
from licensing.consumers import CONSUMERS
from licensing_testing.builders import CustomerTold, an_offer, asked
from onebox.ports import free_ports

_TOLD = ("trial.started", "subscription.changed", "provisioning.rejected")


async def test_a_customer_gets_one_trial_however_often_it_is_told_and_whoever_is_killed(
    fresh_database: DatabaseSettings, worker_database: WorkerDatabase, topics: Topics
) -> None:
    await topics.create(*{topic for one in CONSUMERS for topic in one.topics()}, *_TOLD)
    customer = await _customer_with_offer(worker_database)
    first = customer.now("active", SystemClock().now())

    async with _serving(fresh_database, topics) as process:
        await _tell(topics, first)
        await eventually(lambda: _one_trial(topics, customer), within=20)
        process.kill()
    async with _serving(fresh_database, topics):
        await _tell(topics, first, customer.now("active", SystemClock().now()), first)
        await eventually(lambda: _followed(worker_database, customer), within=20)

    assert await _one_trial(topics, customer)


async def _customer_with_offer(database: WorkerDatabase) -> CustomerTold:
    partner_id = new_id()
    async with database.work() as work, work.item(partner_id) as tx:
        offer = await an_offer(tx)
    return CustomerTold(partner_id=partner_id, products=[asked(1, offer.code)])


async def _one_trial(topics: Topics, customer: CustomerTold) -> bool:
    """One fact, one state, nothing else; on the wire each may stand twice, always under its own id."""
    told = {one.envelope.id: one for one in await topics.everything(*_TOLD)}
    if len(told) < 2:
        return False
    state, fact = sorted(told.values(), key=lambda one: one.envelope.type)
    assert (state.envelope.type, fact.envelope.type) == ("subscription.changed", "trial.started")
    changed = SubscriptionChanged.read(state.payload or b"")
    assert changed.state.customer_id == customer.id
    assert TrialStarted.read(fact.payload or b"").seats == changed.state.seats_bought
    assert state.key == str(changed.state.id).encode()
    assert state.partition == fact.partition == partition_for(customer.id, 2)
    return True


async def _followed(database: WorkerDatabase, customer: CustomerTold) -> bool:
    async with database.direct() as connection:
        version = await connection.fetchval("select version from served_customers where id = $1", customer.id)
        fenced = await connection.fetchval("select sum(next_offset) from fences where consumer = 'licensing'")
    return bool(version == customer.version and fenced == 4)


async def _tell(topics: Topics, *events: Event[CustomerChanged]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=topics.kafka) as producer:
        for event in events:
            await producer.send_and_wait(
                f"{topics.prefix}customer.changed",
                event.record.payload(),
                key=str(event.envelope.subject).encode(),
                partition=partition_for(event.envelope.partition_key, 2),
                headers=encode(event.envelope),
            )


@asynccontextmanager
async def _serving(database: DatabaseSettings, topics: Topics) -> AsyncIterator[asyncio.subprocess.Process]:
    port = free_ports(1)[0]
    told = {
        "LICENSING_DATABASE_HOST": database.host,
        "LICENSING_DATABASE_PORT": str(database.port),
        "LICENSING_DATABASE_NAME": database.name,
        "LICENSING_WORKER_PASSWORD": database.password("worker"),
        "LICENSING_API_PASSWORD": database.password("api"),
        "LICENSING_KAFKA": topics.kafka,
        "LICENSING_CUSTOMERS_URL": "http://127.0.0.1:1",
        "LICENSING_HTTP_PORT": str(port),
        "PARTNERDECK_TOPIC_PREFIX": topics.prefix,
    }
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "licensing", "serve", env={**os.environ, **told})
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            await eventually(lambda: _ready(client), within=60)
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/health/ready")).is_success
    except httpx.TransportError:
        return False
