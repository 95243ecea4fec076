"""What the sample connector tells is what Partnerdeck reads: each record agrees with its envelope and comes in a rising version."""

import asyncio

from chassis.consumers.events import Event, Place
from chassis.consumers.parking import Raw
from chassis.consumers.reading import read_record
from chassis.ids import new_id
from chassis_testing.topics import Topics
from contracts.envelope import encode
from contracts.products.endpoints import EndpointReported
from simulator import connector


async def test_its_reports_are_read_as_they_were_told(topics: Topics) -> None:
    await topics.create("endpoint.reported")
    partner, customer = new_id(), new_id()
    told = connector.computers(customer, "endpoint")

    async with connector.connected(topics.kafka, topics.prefix) as telling:
        await telling.tell(partner, *told)
        await asyncio.sleep(0.002)
        await telling.tell(partner, connector.updated(told[1]))

    stood = await topics.everything("endpoint.reported")
    events = [
        read_record(
            EndpointReported,
            Raw(
                place=Place(topic="endpoint.reported", partition=one.partition, offset=one.offset),
                key=one.key,
                headers=encode(one.envelope),
                payload=one.payload,
                timestamp_ms=0,
            ),
        )
        for one in stood
    ]
    assert [event.record for event in events if isinstance(event, Event)] == [*told, connector.updated(told[1])]
    assert len({(one.partition, one.key) for one in stood}) == 1
    assert stood[-1].envelope.aggregate_version > stood[1].envelope.aggregate_version
    assert {one.envelope.source for one in stood} == {connector.SOURCE}
