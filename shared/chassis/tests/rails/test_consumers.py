"""What was told takes effect once, in order, and what cannot take effect is parked alone."""

import json
from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from house import houses
from house.consuming import FOLLOWING, Teller, an_envelope, building, consuming, has, reasons
from house.records import HouseBuilt, HouseChanged, HouseState

from chassis.consumers import Event, Step
from chassis.database import Transaction, WorkerDatabase
from chassis.ids import new_id
from chassis_testing.topics import Topics


@pytest.fixture
async def teller(topics: Topics) -> AsyncIterator[Teller]:
    await topics.create("house.built", "house.changed")
    async with AIOKafkaProducer(bootstrap_servers=topics.kafka) as producer:
        yield Teller(producer, topics.prefix)


async def test_an_event_delivered_three_times_takes_effect_once(worker_database: WorkerDatabase, topics: Topics, teller: Teller) -> None:
    told = await teller.tell_built("Villa")
    await teller.tell_built("Villa", envelope=told)
    async with consuming(worker_database, topics, building):
        await has(worker_database, "Villa")
        await teller.tell_built("Villa", envelope=told)
        await teller.tell_built("Cottage")
        await has(worker_database, "Villa", "Cottage")


async def test_a_consumer_that_comes_back_goes_on_at_its_fence(worker_database: WorkerDatabase, topics: Topics, teller: Teller) -> None:
    await teller.tell_built("Villa")
    async with consuming(worker_database, topics, building):
        await has(worker_database, "Villa")
    await teller.tell_built("Cottage")
    async with worker_database.direct() as connection:
        await connection.execute("delete from inbox")

    async with consuming(worker_database, topics, building):
        await has(worker_database, "Villa", "Cottage")


async def test_whoever_watches_the_lag_sees_in_the_end_that_there_is_none(
    worker_database: WorkerDatabase, topics: Topics, teller: Teller
) -> None:
    async with consuming(worker_database, topics, building):
        for number in range(1, 4):
            await teller.tell_built(f"Villa {number}")
            await has(worker_database, *(f"Villa {one}" for one in range(1, number + 1)))

    admin = AIOKafkaAdminClient(bootstrap_servers=topics.kafka)
    await admin.start()
    shown = await admin.list_consumer_group_offsets(f"{topics.prefix}houses")
    await admin.close()
    assert sum(one.offset for place, one in shown.items() if place.topic == f"{topics.prefix}house.built") == 3


async def test_what_an_effect_tells_names_its_cause(worker_database: WorkerDatabase, topics: Topics, teller: Teller) -> None:
    told = await teller.tell_built("Villa")
    async with consuming(worker_database, topics, building):
        await has(worker_database, "Villa")

    async with worker_database.direct() as connection:
        headers = await connection.fetchval("select headers from outbox where topic = 'house.built'")
    assert ["ce_causationid", str(told.id)] in json.loads(headers)


@pytest.mark.parametrize(
    ("poison", "reason"),
    [("no garden", "no_garden"), ("nul", "CharacterNotInRepertoireError"), (None, "cannot be read"), ("\ud800", "cannot be read")],
)
async def test_poison_anywhere_in_a_batch_is_parked_and_the_others_take_effect(
    worker_database: WorkerDatabase, topics: Topics, teller: Teller, poison: str | None, reason: str
) -> None:
    one = an_envelope("house.built", new_id(), 1, new_id())
    payload = b"{broken" if poison is None else b'{"name":"%s"}' % poison.encode("utf-8", "surrogatepass")
    await teller.tell_built("before", envelope=an_envelope("house.built", new_id(), 1, one.partner_id))
    await teller.tell(one, payload)
    await teller.tell_built("after", envelope=an_envelope("house.built", new_id(), 1, one.partner_id))

    async with consuming(worker_database, topics, building):
        await has(worker_database, "before", "after")

    (parked,) = await reasons(worker_database)
    assert reason in parked


async def test_headers_that_are_no_envelope_are_parked_with_their_bytes(
    worker_database: WorkerDatabase, topics: Topics, teller: Teller
) -> None:
    await teller.tell(
        an_envelope("house.built", new_id(), 1), b'{"name":"x"}', headers=[("ce_type", b"house.built"), ("ce_id", b"\xff\xfe")]
    )
    await teller.tell_built("Villa")

    async with consuming(worker_database, topics, building):
        await has(worker_database, "Villa")

    async with worker_database.direct() as connection:
        row = await connection.fetchrow("select payload, headers from parked")
    assert row is not None
    assert row["payload"] == b'{"name":"x"}'
    assert "fffe" in row["headers"]


async def test_a_read_model_keeps_the_highest_version_whatever_the_order(
    worker_database: WorkerDatabase, topics: Topics, teller: Teller
) -> None:
    house, partner = new_id(), new_id()
    for version in (2, 1, 3, 2):
        await teller.tell_changed(house, partner, f"version {version}", version)

    async with consuming(worker_database, topics, FOLLOWING):
        await has(worker_database, "version 3")
        await teller.tell_changed(house, partner, "version 1 again", 1)
        await teller.tell(an_envelope("house.changed", new_id(), 1), None)
        await teller.tell_changed(other := new_id(), partner, "another", 1)
        await has(worker_database, "version 3", "another")
        await teller.tell(an_envelope("house.changed", other, 2, partner), None)
        await has(worker_database, "version 3")


async def test_a_foreign_partner_in_the_data_is_parked(worker_database: WorkerDatabase, topics: Topics, teller: Teller) -> None:
    record = HouseChanged(facts=[], state=HouseState(id=new_id(), partner_id=new_id(), name="smuggled"))
    await teller.tell(an_envelope("house.changed", record.state.id, 1), record.payload())
    await teller.tell_changed(new_id(), new_id(), "honest", 1)

    async with consuming(worker_database, topics, FOLLOWING):
        await has(worker_database, "honest")

    (reason,) = await reasons(worker_database)
    assert "is not the data's partner" in reason


async def test_one_bad_state_in_a_batch_does_not_hold_the_read_model_back(
    worker_database: WorkerDatabase, topics: Topics, teller: Teller
) -> None:
    partner = new_id()
    for number in range(9):
        await teller.tell_changed(new_id(), partner, "\x00" if number == 5 else f"house {number}", 1)

    async with consuming(worker_database, topics, FOLLOWING):
        await has(worker_database, *(f"house {number}" for number in range(9) if number != 5))

    assert len(await reasons(worker_database)) == 1


async def test_a_failure_of_the_world_is_tried_again_and_nothing_is_skipped(
    worker_database: WorkerDatabase, topics: Topics, teller: Teller
) -> None:
    failures = iter([True, True, False])

    async def unlucky(tx: Transaction, event: Event[HouseBuilt]) -> None:
        await houses.build(tx, event.record.name)
        if next(failures, False):
            raise ConnectionResetError("the world")

    await teller.tell_built("Villa")
    async with consuming(worker_database, topics, Step(name="houses.unlucky", record=HouseBuilt, handle=unlucky)):
        await has(worker_database, "Villa")
    assert await reasons(worker_database) == []


async def test_two_workers_share_the_partitions_and_nothing_happens_twice(
    worker_database: WorkerDatabase, topics: Topics, teller: Teller
) -> None:
    async with consuming(worker_database, topics, building):
        for number in range(30):
            await teller.tell_built(f"house {number}")
        async with consuming(worker_database, topics, building, slot="1"):
            for number in range(30, 60):
                await teller.tell_built(f"house {number}")
            await has(worker_database, *(f"house {number}" for number in range(60)))
