"""Every read says as of when it is, and that is true (BEY-09): on a real broker, with the consumer that runs in deployment."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import pytest
from aiokafka import AIOKafkaProducer
from told_to_reporting import a_customer, event_of

from chassis.clock import SystemClock
from chassis.consumers.worker import ConsumerWorker
from chassis.database import ApiDatabase, DatabaseSettings, WorkerDatabase
from chassis.ids import new_id
from chassis.principal import Principal
from chassis_testing.topics import Topics
from chassis_testing.waiting import eventually
from contracts.customers.customers import CustomerState
from contracts.envelope import encode
from reporting import customer_overview
from reporting.consumers import consumers
from reporting.customer_overview import OverviewPageView
from reporting.rules.customer_filters import Filters
from reporting.rules.freshness import FOLLOWER

PRINCIPAL = Principal(kind="partner", user_id=new_id(), partner_id=new_id(), gen=1)


@pytest.fixture
async def api(fresh_database: DatabaseSettings) -> AsyncIterator[ApiDatabase]:
    """Requests in real time, as the broker's is."""
    database = ApiDatabase(fresh_database, SystemClock())
    await database.open()
    yield database
    await database.close()


FOLLOWING = next(one for one in consumers() if one.group == FOLLOWER)


async def look(api: ApiDatabase) -> OverviewPageView:
    async with api.read(PRINCIPAL) as read:
        return await customer_overview.for_partner(read, Filters())


@asynccontextmanager
async def following(database: WorkerDatabase, topics: Topics) -> AsyncIterator[None]:
    worker = ConsumerWorker(FOLLOWING, database, kafka=topics.kafka, prefix=topics.prefix)
    running = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        worker.stop()
        with suppress(asyncio.CancelledError):
            await asyncio.wait_for(running, 15)


async def publish(topics: Topics, customer: CustomerState, *, partition: int) -> datetime:
    """Publish a customer, and say when it certainly stood in the log."""
    event = event_of(customer)
    producer = AIOKafkaProducer(bootstrap_servers=topics.kafka)
    await producer.start()
    try:
        name = topics.prefix + event.record.topic
        await producer.send_and_wait(
            name, event.record.payload(), key=str(customer.id).encode(), headers=encode(event.envelope), partition=partition
        )
    finally:
        await producer.stop()
    return datetime.now(UTC)


async def test_as_of_never_claims_more_than_has_arrived(api: ApiDatabase, worker_database: WorkerDatabase, topics: Topics) -> None:
    """BEY-09: it follows the log while somebody reads it, stands still while nobody does, and goes on afterwards."""
    await topics.create(*FOLLOWING.topics())
    nothing_yet = await look(api)
    assert (nothing_yet.as_of, nothing_yet.lag_seconds) == (None, None)

    async with following(worker_database, topics):
        published = await publish(topics, a_customer(PRINCIPAL.partner_id, name="First"), partition=0)

        async def caught_up() -> OverviewPageView | None:
            page = await look(api)
            return page if page.as_of and page.as_of >= published else None

        page = await eventually(caught_up)
        assert page is not None
        assert [row.name for row in page.items] == ["First"]
        assert page.lag_seconds is not None
        assert 0 <= page.lag_seconds < 5

    second = await publish(topics, a_customer(PRINCIPAL.partner_id, name="Second"), partition=1)
    left_behind = await look(api)
    assert [row.name for row in left_behind.items] == ["First"]
    assert left_behind.as_of is not None
    assert left_behind.as_of < second

    async with following(worker_database, topics):

        async def there() -> OverviewPageView | None:
            page = await look(api)
            return page if page.as_of and page.as_of >= second else None

        page = await eventually(there)
        assert page is not None
        assert [row.name for row in page.items] == ["First", "Second"]
