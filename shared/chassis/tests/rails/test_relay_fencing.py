"""A relay that slept never appends an old version after a newer one: the broker refuses it, because its successor raised the epoch."""

import asyncio
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import ProducerFenced
from house import houses
from house.relaying import a_partner, drained, relay_process, relaying

from chassis.database import ApiDatabase, DatabaseSettings, WorkerDatabase
from chassis.relay.fencing import producing
from chassis_testing.topics import Topics


async def send(producer: AIOKafkaProducer, topic: str, value: bytes) -> Any:
    batch = producer.create_batch()
    batch.append(timestamp=None, key=b"house", value=value, headers=[])
    return await asyncio.wait_for(await producer.send_batch(batch, topic, partition=0), timeout=5)


async def test_the_broker_refuses_a_producer_whose_successor_has_written(topics: Topics) -> None:
    await topics.create("house.changed", partitions=1)
    topic = topics.prefix + "house.changed"
    async with producing(topics.kafka, topics.prefix + "relay") as old:
        await send(old, topic, b"1")
        async with producing(topics.kafka, topics.prefix + "relay") as new:
            await send(old, topic, b"1 again, which its successor sends too")
            await send(new, topic, b"2")

            for _ in range(2):
                with pytest.raises(ProducerFenced):
                    await send(old, topic, b"1 too late")
            await send(new, topic, b"3")


async def test_relays_of_other_services_are_not_fenced(topics: Topics) -> None:
    await topics.create("house.changed", partitions=1)
    topic = topics.prefix + "house.changed"
    async with producing(topics.kafka, topics.prefix + "one") as one, producing(topics.kafka, topics.prefix + "other") as other:
        for producer in (one, other, one, other):
            await send(producer, topic, b"fine")


async def test_what_a_producer_still_holds_is_not_sent_when_it_is_left(topics: Topics) -> None:
    await topics.create("house.changed", partitions=1)
    async with producing(topics.kafka, topics.prefix + "relay") as producer:
        sender = producer._sender.sender_task
        batch = producer.create_batch()
        batch.append(timestamp=None, key=b"house", value=b"not yet", headers=[])
        await producer.send_batch(batch, topics.prefix + "house.changed", partition=0)

    assert sender.done()
    assert await topics.sizes("house.changed") == [0]


async def test_the_old_version_of_a_sleeping_leader_is_never_the_last_of_its_key(
    api_database: ApiDatabase, worker_database: WorkerDatabase, fresh_database: DatabaseSettings, topics: Topics
) -> None:
    await topics.create("house.built", "house.changed")
    partner = a_partner()
    async with api_database.change(partner) as tx:
        house = await houses.build(tx, "Villa")

    async with relay_process(fresh_database, topics, sleeps="sending") as sleeper:
        await sleeper.sleeps()
        async with api_database.change(partner) as tx:
            await houses.rename(tx, house.id, "Palace")
        async with relaying(worker_database, topics):
            await drained(worker_database)
            sleeper.resume()
            await sleeper.says("relay_interrupted")
        await sleeper.end()

    last = (await topics.everything("house.changed"))[-1]
    assert (last.key, last.envelope.aggregate_version) == (str(house.id).encode(), 2)
