"""Records as customers tells them, and topics to put them in."""

import json
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from chassis.ids import new_id
from chassis_testing import told
from contracts.customers.customers import CustomerChanged, CustomerState
from contracts.envelope import encode

TOPIC = CustomerChanged.topic


class Told(NamedTuple):
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]

    @property
    def headers_as_json(self) -> str:
        """As the outbox keeps them."""
        return json.dumps([(name, value.decode()) for name, value in self.headers])


@cache
def records(number: int) -> Sequence[Told]:
    """So many customers of one partner."""
    partner = new_id()
    return [_record(told.a_customer(partner, company=told.a_company(name=f"Hafen {one}"))) for one in range(number)]


async def create_topic(kafka: str, name: str, partitions: int) -> None:
    """Make a topic unless it is there."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        if name not in await admin.list_topics():
            await admin.create_topics([NewTopic(name, partitions, 1)])
    finally:
        await admin.close()


def _record(state: CustomerState) -> Told:
    record = CustomerChanged(facts=[], state=state)
    whose = {"subject": state.id, "partner_id": state.partner_id, "customer_id": state.id}
    envelope = told.an_envelope(record, version=1, at=state.created_at, **whose)
    return Told(str(state.id).encode(), record.payload(), list(encode(envelope)))
