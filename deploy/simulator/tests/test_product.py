"""The sample product takes over what it is sent: each request is answered, however often it is stopped (CUS-66)."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

from aiokafka import AIOKafkaProducer

from chassis.ids import new_id
from chassis_testing import told
from chassis_testing.topics import Topics
from chassis_testing.waiting import eventually
from contracts.envelope import encode
from contracts.licensing.product_settings import PolicyDeploymentRequested
from contracts.partitions import partition_for
from contracts.products.deployments import ProductDeploymentAcknowledged
from simulator.product import Product
from simulator.settings import ProductSettings

REQUESTED = PolicyDeploymentRequested(product="worry-free", settings={"scan": "daily"})


async def test_every_policy_is_answered_by_its_customers_partition_and_under_one_id(topics: Topics) -> None:
    await topics.create(REQUESTED.topic, ProductDeploymentAcknowledged.topic)
    first, second = new_id(), new_id()
    settings = ProductSettings(kafka=topics.kafka, topic_prefix=topics.prefix)

    await ask(topics, first)
    await answered(topics, settings, {first})
    await ask(topics, second, unreadable=True)
    await answered(topics, settings, {first, second})

    answers = {one.envelope.id: one for one in await topics.everything(ProductDeploymentAcknowledged.topic)}
    said = {one.envelope.subject: ProductDeploymentAcknowledged.read(one.payload or b"") for one in answers.values()}
    assert {key: (one.deployment_id, one.product, one.outcome) for key, one in said.items()} == {
        key: (key, "worry-free", "applied") for key in (first, second)
    }
    for one in answers.values():
        assert one.partition == partition_for(one.envelope.partition_key, 2)


async def answered(topics: Topics, settings: ProductSettings, wanted: set[UUID]) -> None:
    """The product runs until all of these are answered."""
    product = Product(settings)
    running = asyncio.create_task(product.run())

    async def all_of_them() -> bool:
        return {one.envelope.subject for one in await topics.everything(ProductDeploymentAcknowledged.topic)} >= wanted

    await eventually(all_of_them, within=60)
    product.stop()
    await running


async def ask(topics: Topics, deployment_id: UUID, *, unreadable: bool = False) -> None:
    customer_id = new_id()
    whose = {"subject": deployment_id, "partner_id": new_id(), "customer_id": customer_id}
    headers = encode(told.an_envelope(REQUESTED, version=1, at=datetime.now(UTC), **whose))
    place = {"key": str(customer_id).encode(), "partition": partition_for(customer_id, 2)}
    async with AIOKafkaProducer(bootstrap_servers=topics.kafka) as producer:
        if unreadable:
            await producer.send_and_wait(f"{topics.prefix}{REQUESTED.topic}", b"{", headers=headers, **place)
        await producer.send_and_wait(f"{topics.prefix}{REQUESTED.topic}", REQUESTED.payload(), headers=headers, **place)
