"""Who reports wrongly is parked with the reason, and never stops what others report or tell: connectors are outside the suite."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from told_to_reporting import a_customer, an_endpoint, event_of, reported, take

from chassis.consumers import Consumer, Event
from chassis.consumers.batches import Batches
from chassis.consumers.events import Place
from chassis.consumers.parking import Raw
from chassis.database import WorkerDatabase
from chassis.ids import new_id
from contracts.envelope import encode
from contracts.products.endpoints import EndpointReported
from reporting import endpoints

A_FLOOD = 120


def as_they_come(events: Iterable[Event[EndpointReported]], payloads: Sequence[bytes] = ()) -> list[Raw]:
    """The records of a batch; where ``payloads`` are given, with these bodies."""
    return [
        Raw(
            place=Place(topic="endpoint.reported", partition=0, offset=offset),
            key=str(event.envelope.customer_id).encode(),
            headers=encode(event.envelope),
            payload=payloads[offset] if offset < len(payloads) else event.record.payload(),
            timestamp_ms=0,
        )
        for offset, event in enumerate(events)
    ]


async def test_a_flood_of_wrong_reports_is_parked_and_the_right_ones_take_effect(worker_database: WorkerDatabase) -> None:
    partner, foreign = new_id(), new_id()
    customer = a_customer(partner)
    async with worker_database.work() as work:
        await take(work, [event_of(customer)])
    wrong: list[tuple[EndpointReported, UUID]] = [(an_endpoint(customer), foreign), (an_endpoint(a_customer(partner)), partner)]
    right = [reported(an_endpoint(customer), partner) for _ in range(3)]
    batch = [right[0], *(reported(*wrong[number % 2]) for number in range(2)), right[1]]
    batch += [reported(an_endpoint(customer), partner) for _ in range(A_FLOOD)]
    unreadable = [event.record.payload() for event in batch[:4]] + [b'{"endpoint_id": 1}'] * A_FLOOD

    consumer = Consumer(group="reporting", handlers=[endpoints.PROJECTION])
    await Batches(worker_database, consumer, prefix="").apply([*as_they_come([*batch, right[2]], unreadable)])

    async with worker_database.direct() as connection:
        assert await connection.fetchval("select count(*) from endpoints") == 3
        reasons = [row["reason"] for row in await connection.fetch("select reason from parked")]
    assert len(reasons) == A_FLOOD + 2
    assert sum(f"customer {customer.id} was never partner {foreign}'s" in reason for reason in reasons) == 1
    assert sum("is not known here" in reason for reason in reasons) == 1
    assert sum("cannot be read" in reason for reason in reasons) == A_FLOOD
