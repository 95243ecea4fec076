"""The overviews are rebuilt together from the topics, by a command, with zero difference (BEY-03)."""

import asyncio
import os
import sys
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from aiokafka import AIOKafkaProducer
from told_to_reporting import a_customer, a_subscription, an_endpoint, event_of, rejected, reported

from chassis.consumers import Consumer, Event
from chassis.consumers.worker import ConsumerWorker
from chassis.database import DatabaseSettings, WorkerDatabase
from chassis.ids import new_id
from chassis_testing.topics import Topics
from chassis_testing.waiting import eventually
from contracts.customers.customers import CustomerState
from contracts.envelope import encode
from contracts.licensing.subscriptions import SubscriptionState
from contracts.partitions import partition_for
from reporting import offboarding
from reporting.consumers import OVERVIEWS

FOLLOWER = Consumer(group="reporting", handlers=[offboarding.REHOMING, *OVERVIEWS])


async def tell(topics: Topics, states: Sequence[CustomerState | SubscriptionState], *, version: int = 1, ended: bool = False) -> None:
    async with AIOKafkaProducer(bootstrap_servers=topics.kafka, linger_ms=20) as producer:
        for state in states:
            event = event_of(state, version)
            await producer.send(
                topics.prefix + event.envelope.type,
                None if ended else event.record.payload(),
                key=str(state.id).encode(),
                headers=encode(event.envelope),
                partition=partition_for(event.envelope.partition_key, 2),
            )


async def tell_events(topics: Topics, events: Sequence[Event[Any]]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=topics.kafka, linger_ms=20) as producer:
        for event in events:
            said = event.envelope
            where = {"key": str(said.partition_key).encode(), "partition": partition_for(said.partition_key, 2)}
            await producer.send(topics.prefix + said.type, event.record.payload(), headers=encode(said), **where)


async def rebuild(database: DatabaseSettings, topics: Topics, *arguments: str) -> tuple[int | None, str]:
    """Exit code of ``python -m reporting rebuild``, and what it said."""
    told = {
        "REPORTING_DATABASE_HOST": database.host,
        "REPORTING_DATABASE_PORT": str(database.port),
        "REPORTING_DATABASE_NAME": database.name,
        "REPORTING_OWNER_PASSWORD": database.password("owner"),
        "REPORTING_WORKER_PASSWORD": database.password("worker"),
        "REPORTING_API_PASSWORD": database.password("api"),
        "REPORTING_CUSTOMERS_URL": "http://127.0.0.1:9",
        "REPORTING_KAFKA": topics.kafka,
        "REPORTING_HTTP_PORT": "9",
        "PARTNERDECK_TOPIC_PREFIX": topics.prefix,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "reporting", "rebuild", *arguments,
        env={**os.environ, **told}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    return process.returncode, output.decode()


async def test_the_overviews_are_checked_and_rebuilt_by_command(
    fresh_database: DatabaseSettings, worker_database: WorkerDatabase, topics: Topics
) -> None:
    """Customers whose subscriptions came first, were renewed, ran out or ended: what is counted from one another is the same."""
    await topics.create("customer.changed", "subscription.changed", "endpoint.reported", "provisioning.rejected")
    customers = [a_customer(new_id(), name=f"Hafen {number}") for number in range(40)]
    trials = [a_subscription(customer, ends_in=timedelta(days=number)) for number, customer in enumerate(customers)]
    paid = [a_subscription(customer, kind="paid", product="mail", seats_used=number) for number, customer in enumerate(customers[::2])]
    await tell(topics, trials[:20])
    await tell(topics, customers)
    await tell(topics, [*trials[20:], *paid])
    await tell(topics, [trial.model_copy(update={"status": "expired"}) for trial in trials[::3]], version=2)
    await tell(topics, [customers[0], trials[1]], ended=True)
    await tell_events(topics, [rejected(customer, offer="mail-cloud") for customer in customers[::7]])
    worker = ConsumerWorker(FOLLOWER, worker_database, kafka=topics.kafka, prefix=topics.prefix)
    following = asyncio.create_task(worker.run())
    try:

        async def all_followed() -> bool:
            assert worker.caught_up
            async with worker_database.direct() as connection:
                return await connection.fetchval("select count(*) from subscription_overview") == 59

        await eventually(all_followed, within=90)
        computers = [an_endpoint(customer, agent_update_required=bool(number % 2)) for number, customer in enumerate(customers[1:])]
        moved = customers[3].model_copy(update={"partner_id": new_id()})
        await tell_events(topics, [reported(computer, one.partner_id, 3) for computer, one in zip(computers, customers[1:], strict=True)])
        await tell_events(topics, [reported(computers[5].model_copy(update={"deleted": True}), customers[6].partner_id, 4)])
        await tell_events(topics, [reported(computers[5], customers[6].partner_id, 2)])

        async def all_reported() -> bool:
            async with worker_database.direct() as connection:
                assert await connection.fetchval("select count(*) from endpoints where not deleted") == 38
                return await connection.fetchval("select count(*) from endpoints where deleted") == 1

        await eventually(all_reported, within=90)
        await tell(topics, [moved], version=7)

        async def gone_over() -> bool:
            async with worker_database.direct() as connection:
                return await connection.fetchval("select count(*) from endpoints where partner_id = $1", moved.partner_id) == 1

        await eventually(gone_over, within=90)

        async with worker_database.direct() as connection:
            await connection.execute("update customer_overview set trials = trials + 1 where name = 'Hafen 5'")
        code, said = await rebuild(fresh_database, topics, "customer_overview", "--check")
        assert code == 1
        assert f"changed ({customers[5].partner_id},{customers[5].id})" in said

        code, said = await rebuild(fresh_database, topics, "customer_overview")
        assert code == 0, said
        assert "replaced; the consumer waited" in said
        code, said = await rebuild(fresh_database, topics, "subscription_overview", "--check")
        assert (code, said.splitlines()[-1]) == (0, "zero difference"), said
    finally:
        worker.stop()
        await following


async def test_what_can_be_rebuilt_is_listed(fresh_database: DatabaseSettings, topics: Topics) -> None:
    code, said = await rebuild(fresh_database, topics, "--list")

    assert code == 0
    assert (
        "customer_overview        customer_overview, subscription_overview, provisioning_rejections, endpoints"
        " from customer.changed, endpoint.reported, provisioning.rejected, subscription.changed (as reporting)" in said
    )
    assert "access_users             access_users from user.changed (as reporting.access)" in said
    assert "cannot be rebuilt" not in said
