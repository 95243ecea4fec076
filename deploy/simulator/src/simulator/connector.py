"""The sample connector: it reports a few computers of one customer, as a product's own connector does (docs/guides/connectors.md).

A report is the whole state of one endpoint. Its version only has to rise: here it is the millisecond of the observation.
"""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4, uuid5

from aiokafka import AIOKafkaProducer

from contracts.envelope import Envelope, encode
from contracts.partitions import partition_for
from contracts.products.endpoints import EndpointReported
from contracts.products.reports import Report

SOURCE: Final = "/connectors/sample"
NEWEST: Final = "14.4.0"
"""The agent that every computer should have."""


@dataclass(frozen=True, slots=True)
class Connector:
    """Tells what a product reports. ``partner_id`` of what it tells is the customer's, as ``customer.changed`` named it last."""

    producer: AIOKafkaProducer
    prefix: str = ""

    async def tell(self, partner_id: UUID, *reports: Report) -> None:
        """Tell reports, and wait until the log has them."""
        for report in reports:
            envelope = _envelope(partner_id, report)
            topic = self.prefix + report.topic
            partitions = await self.producer.partitions_for(topic)
            sent = await self.producer.send(
                topic,
                report.payload(),
                key=str(envelope.partition_key).encode(),
                headers=encode(envelope),
                partition=partition_for(envelope.partition_key, len(partitions)),
            )
            await sent


def _envelope(partner_id: UUID, report: Report) -> Envelope:
    now = datetime.now(UTC)
    return Envelope(
        id=uuid4(),
        type=report.topic,
        source=SOURCE,
        time=now,
        effective_time=now,
        subject=getattr(report, report.entity),
        partner_id=partner_id,
        customer_id=report.customer_id,
        aggregate_type=report.aggregate,
        aggregate_version=time.time_ns() // 1_000_000,
        data_schema=f"urn:partnerdeck:schema:{report.topic}",
    )


@asynccontextmanager
async def connected(kafka: str, prefix: str = "") -> AsyncIterator[Connector]:
    """A connector that is connected to the log."""
    async with AIOKafkaProducer(bootstrap_servers=kafka, acks="all", enable_idempotence=True) as producer:
        yield Connector(producer, prefix)


def computers(customer_id: UUID, product: str) -> Sequence[EndpointReported]:
    """Four computers of a customer: one as it should be, one with an old agent, one at risk, and a server without protection."""
    now = datetime.now(UTC)

    def one(name: str, **said: object) -> EndpointReported:
        default = {
            "customer_id": customer_id,
            "product": product,
            "endpoint_id": uuid5(customer_id, f"{product}/{name}"),
            "kind": "computer",
            "protection": "protected",
            "name": name,
            "group": "Office",
            "agent_version": NEWEST,
            "deployed_at": now - timedelta(hours=3),
            "last_seen_at": now,
        }
        return EndpointReported.model_validate(default | said)

    return (
        one("FRONT-DESK"),
        one("BACK-OFFICE", agent_version="14.2.1", agent_update_required=True),
        one("LAPTOP-3", kind="mac", infected_items=1, quarantined_items=2, risks_blocked=5, detections=8),
        one("SERVER", group="Servers", protection="disabled"),
    )


def updated(computer: EndpointReported) -> EndpointReported:
    """The same computer with the newest agent, clean and protected."""
    well = {"agent_version": NEWEST, "agent_update_required": False, "infected_items": 0, "protection": "protected"}
    return computer.model_copy(update=well)
