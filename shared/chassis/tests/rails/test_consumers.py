"""What was told takes effect once, in order, and what cannot take effect is parked alone."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from aiokafka import AIOKafkaProducer
from house import houses
from house.houses import House
from house.records import HouseBuilt, HouseChanged, HouseState

from chassis.access.projection import follow
from chassis.consumers import Consumer, Event, Step
from chassis.consumers.handlers import Handler
from chassis.consumers.worker import ConsumerWorker
from chassis.database import Transaction, WorkerDatabase
from chassis.errors import Kind, Refusal
from chassis.ids import new_id
from chassis_testing.clock import FixedClock
from chassis_testing.topics import Topics
from chassis_testing.waiting import eventually
from contracts.envelope import Envelope, encode
from contracts.partitions import partition_for


class NoGarden(Refusal):
    """A house without a garden is not taken."""

    kind = Kind.CONFLICT
    code = "no_garden"
    remedy = "Plant one."


def an_envelope(topic: str, house_id: UUID, version: int, partner_id: UUID | None = None) -> Envelope:
    now = FixedClock().now()
    return Envelope(
        id=new_id(),
        type=topic,
        source="/licensing",
        time=now,
        effective_time=now,
        subject=house_id,
        partner_id=partner_id or new_id(),
        customer_id=None,
        aggregate_type="house",
        aggregate_version=version,
        data_schema=f"urn:partnerdeck:schema:{topic}",
    )


class Teller:
    """Tells records as a stranger might: in any order, twice, broken."""

    def __init__(self, producer: AIOKafkaProducer, prefix: str) -> None:
        self._producer = producer
        self._prefix = prefix

    async def tell(self, envelope: Envelope, payload: bytes | None, *, headers: Sequence[tuple[str, bytes]] | None = None) -> None:
        await self._producer.send_and_wait(
            self._prefix + envelope.type,
            value=payload,
            key=str(envelope.subject).encode(),
            headers=list(headers) if headers is not None else encode(envelope),
            partition=partition_for(envelope.partition_key, 2),
        )

    async def tell_built(self, name: str, *, envelope: Envelope | None = None) -> Envelope:
        told = envelope or an_envelope("house.built", new_id(), 1)
        await self.tell(told, HouseBuilt(name=name).payload())
        return told

    async def tell_changed(self, house_id: UUID, partner_id: UUID, name: str, version: int) -> None:
        record = HouseChanged(facts=[], state=HouseState(id=house_id, partner_id=partner_id, name=name))
        await self.tell(an_envelope("house.changed", house_id, version, partner_id), record.payload())


@pytest.fixture
async def teller(topics: Topics) -> AsyncIterator[Teller]:
    await topics.create("house.built", "house.changed")
    async with AIOKafkaProducer(bootstrap_servers=topics.kafka) as producer:
        yield Teller(producer, topics.prefix)


@asynccontextmanager
async def consuming(database: WorkerDatabase, topics: Topics, *handlers: Handler, slot: str = "0") -> AsyncIterator[None]:
    consumer = Consumer(group="houses", handlers=handlers)
    worker = ConsumerWorker(consumer, database, kafka=topics.kafka, prefix=topics.prefix, slot=slot)
    task = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        worker.stop()
        await task


async def build_again(tx: Transaction, event: Event[HouseBuilt]) -> None:
    if event.record.name == "no garden":
        raise NoGarden
    if event.record.name == "nul":
        await houses.build(tx, "\x00")
    await houses.build(tx, event.record.name)


building = Step(name="houses.build", record=HouseBuilt, handle=build_again)


def row_of(record: HouseChanged) -> dict[str, object]:
    state = record.state
    return {"partner_id": state.partner_id, "id": state.id, "customer_id": state.id, "name": state.name}


async def names(database: WorkerDatabase) -> list[str]:
    async with database.direct() as connection:
        return [row["name"] for row in await connection.fetch("select name from houses order by id")]


async def reasons(database: WorkerDatabase) -> list[str]:
    async with database.direct() as connection:
        return [row["reason"] for row in await connection.fetch('select reason from parked order by "offset", partition')]


async def has(database: WorkerDatabase, *expected: str) -> None:
    async def look() -> bool:
        assert sorted(await names(database)) == sorted(expected)
        return True

    await eventually(look)


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


async def test_what_an_effect_tells_names_its_cause(worker_database: WorkerDatabase, topics: Topics, teller: Teller) -> None:
    told = await teller.tell_built("Villa")
    async with consuming(worker_database, topics, building):
        await has(worker_database, "Villa")

    async with worker_database.direct() as connection:
        headers = await connection.fetchval("select headers from outbox where topic = 'house.built'")
    assert f'["ce_causationid", "{told.id}"]' in headers


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
    following = follow(HouseChanged, House.__table__, row_of)  # type: ignore[arg-type]  # a mapped class's table is a Table

    async with consuming(worker_database, topics, following):
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
    following = follow(HouseChanged, House.__table__, row_of)  # type: ignore[arg-type]  # a mapped class's table is a Table

    async with consuming(worker_database, topics, following):
        await has(worker_database, "honest")

    (reason,) = await reasons(worker_database)
    assert "is not the data's partner" in reason


async def test_one_bad_state_in_a_batch_does_not_hold_the_read_model_back(
    worker_database: WorkerDatabase, topics: Topics, teller: Teller
) -> None:
    partner = new_id()
    for number in range(9):
        await teller.tell_changed(new_id(), partner, "\x00" if number == 5 else f"house {number}", 1)
    following = follow(HouseChanged, House.__table__, row_of)  # type: ignore[arg-type]  # a mapped class's table is a Table

    async with consuming(worker_database, topics, following):
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
