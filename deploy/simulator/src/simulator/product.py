"""The sample product: it takes over every policy that it is sent, and says so (CUS-66).

An answer has an id that follows from its request's, and how far it has read is committed
after the answers have arrived: whatever kills it, each request is answered, and twice is once.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid5

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError

from contracts.envelope import BadEnvelope, Envelope, decode, encode
from contracts.licensing.product_settings import PolicyDeploymentRequested
from contracts.products.deployments import ProductDeploymentAcknowledged
from simulator.connector import SOURCE
from simulator.settings import ProductSettings

log = logging.getLogger(__name__)

GROUP: Final = "product-sample"
_WAIT_MS: Final = 200
_PAUSE: Final = 1.0
_AWAY: Final = (KafkaError, OSError, TimeoutError)


class Product:
    def __init__(self, settings: ProductSettings) -> None:
        self._settings = settings
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Answer until ``stop``."""
        while not self._stopping.is_set():
            try:
                async with _connected(self._settings) as (consumer, producer):
                    await self._answer(consumer, producer)
            except _AWAY as away:
                log.warning("tried again soon: %r", away)
                await self._pause()

    def stop(self) -> None:
        """End after the requests in hand."""
        self._stopping.set()

    async def _answer(self, consumer: AIOKafkaConsumer, producer: AIOKafkaProducer) -> None:
        topic = f"{self._settings.topic_prefix}{ProductDeploymentAcknowledged.topic}"
        while not self._stopping.is_set():
            fetched = await consumer.getmany(timeout_ms=_WAIT_MS)
            requests = [record for records in fetched.values() for record in records]
            for request, envelope, answer in _answers(requests):
                said = {"key": request.key, "headers": encode(envelope), "partition": request.partition}
                await producer.send(topic, answer.payload(), **said)
            if requests:
                await producer.flush()
                await consumer.commit()

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), _PAUSE)
        except TimeoutError:
            return


def _answers(requests: Sequence[Any]) -> list[tuple[Any, Envelope, ProductDeploymentAcknowledged]]:
    """What is answered to requests. One that cannot be read is not this product's, and is left to time out."""
    answers = []
    for request in requests:
        try:
            asked, policy = decode(request.headers), PolicyDeploymentRequested.read(request.value or b"")
        except (BadEnvelope, ValueError) as unreadable:
            log.warning("%s %s %s cannot be read: %r", request.topic, request.partition, request.offset, unreadable)
            continue
        if asked.customer_id is not None:
            about: Any = {"deployment_id": asked.subject, "customer_id": asked.customer_id, "product": policy.product}
            answer = ProductDeploymentAcknowledged(**about, outcome="applied")
            answers.append((request, _envelope(asked, answer), answer))
    return answers


def _envelope(asked: Envelope, answer: ProductDeploymentAcknowledged) -> Envelope:
    return Envelope(
        id=uuid5(asked.id, answer.topic),
        type=answer.topic,
        source=SOURCE,
        time=datetime.now(UTC),
        effective_time=asked.effective_time,
        subject=answer.deployment_id,
        partner_id=asked.partner_id,
        customer_id=asked.customer_id,
        aggregate_type=answer.aggregate,
        aggregate_version=1,
        data_schema=f"urn:partnerdeck:schema:{answer.topic}",
        data_region=asked.data_region,
        sandbox=asked.sandbox,
        causation_id=str(asked.id),
        correlation_id=asked.correlation_id,
        traceparent=asked.traceparent,
    )


@asynccontextmanager
async def _connected(settings: ProductSettings) -> AsyncIterator[tuple[AIOKafkaConsumer, AIOKafkaProducer]]:
    """Requests come with the group's own place in them; an answer goes to the partition of its request, which is its customer's."""
    consumer = AIOKafkaConsumer(
        f"{settings.topic_prefix}{PolicyDeploymentRequested.topic}",
        bootstrap_servers=settings.kafka,
        group_id=f"{settings.topic_prefix}{GROUP}",
        client_id=GROUP,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka, client_id=GROUP, acks="all", enable_idempotence=True)
    try:
        await consumer.start()
        await producer.start()
        yield consumer, producer
    finally:
        await producer.stop()
        await consumer.stop()
