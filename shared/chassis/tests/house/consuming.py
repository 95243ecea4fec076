"""Consuming houses in tests: a teller that tells as a stranger might, a log without a broker, and handlers."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaProducer
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from chassis.access.projection import follow
from chassis.consumers import Consumer, Event, Projection, Step
from chassis.consumers.brake import Brake
from chassis.consumers.events import Place
from chassis.consumers.handlers import Handler
from chassis.consumers.parking import Raw
from chassis.consumers.worker import ConsumerWorker
from chassis.database import DatabaseSettings, Transaction, WorkerDatabase
from chassis.errors import Kind, Refusal
from chassis.ids import new_id
from chassis_testing.clock import FixedClock
from chassis_testing.topics import Topics
from chassis_testing.waiting import eventually
from contracts.envelope import Envelope, encode
from contracts.partitions import partition_for
from house import houses
from house.houses import House
from house.records import HouseBuilt, HouseChanged, HouseState


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

    def __init__(self, producer: AIOKafkaProducer, prefix: str, *, partitions: int = 2) -> None:
        self._producer = producer
        self._prefix = prefix
        self._partitions = partitions

    async def tell(self, envelope: Envelope, payload: bytes | None, *, headers: Sequence[tuple[str, bytes]] | None = None) -> None:
        await self._producer.send_and_wait(
            self._prefix + envelope.type,
            value=payload,
            key=str(envelope.subject).encode(),
            headers=list(headers) if headers is not None else encode(envelope),
            partition=partition_for(envelope.partition_key, self._partitions),
        )

    async def tell_built(self, name: str, *, envelope: Envelope | None = None) -> Envelope:
        told = envelope or an_envelope("house.built", new_id(), 1)
        await self.tell(told, HouseBuilt(name=name).payload())
        return told

    async def tell_changed(self, house_id: UUID, partner_id: UUID, name: str, version: int) -> None:
        record = HouseChanged(facts=[], state=HouseState(id=house_id, partner_id=partner_id, name=name))
        await self.tell(an_envelope("house.changed", house_id, version, partner_id), record.payload())


@asynccontextmanager
async def consuming(
    database: WorkerDatabase, topics: Topics, *handlers: Handler, slot: str = "0", brake: Brake | None = None
) -> AsyncIterator[ConsumerWorker]:
    consumer = Consumer(group="houses", handlers=handlers)
    worker = ConsumerWorker(consumer, database, kafka=topics.kafka, prefix=topics.prefix, slot=slot, brake=brake)
    task = asyncio.create_task(worker.run())
    try:
        yield worker
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


FOLLOWING: Projection[HouseChanged] = follow(HouseChanged, House.metadata.tables["houses"], row_of)


async def names(database: WorkerDatabase) -> list[str]:
    async with database.direct() as connection:
        return [row["name"] for row in await connection.fetch("select name from houses order by id")]


async def reasons(database: WorkerDatabase) -> list[str]:
    async with database.direct() as connection:
        return [row["reason"] for row in await connection.fetch('select reason from parked order by "offset", partition')]


async def has(database: WorkerDatabase, *expected: str, within: float = 30.0) -> None:
    async def look() -> bool:
        assert sorted(await names(database)) == sorted(expected)
        return True

    await eventually(look, within=within)


async def in_order(database: WorkerDatabase) -> list[str]:
    """The names of houses in the order in which they were built, as the outbox has it."""
    async with database.direct() as connection:
        rows = await connection.fetch(
            "select convert_from(payload, 'utf8')::jsonb->>'name' as name from outbox where topic = 'house.built' order by id"
        )
    return [row["name"] for row in rows]


class Log:
    """One partition of a topic, without a broker."""

    def __init__(self, topic: str = "house.built", partition: int = 0) -> None:
        self._topic = topic
        self._partition = partition
        self._offsets = count()

    def raw(
        self,
        payload: bytes | None,
        envelope: Envelope | None = None,
        *,
        headers: Sequence[tuple[str, bytes | None]] | None = None,
        **more: Any,
    ) -> Raw:
        told = envelope or an_envelope(self._topic, new_id(), 1)
        return Raw(
            place=Place(topic=self._topic, partition=self._partition, offset=next(self._offsets)),
            key=more.get("key", str(told.subject).encode()),
            headers=tuple(encode(told) if headers is None else headers),
            payload=payload,
            timestamp_ms=more.get("timestamp_ms", 0),
        )

    def built(self, name: str, house_id: UUID | None = None, *, envelope: Envelope | None = None) -> Raw:
        return self.raw(HouseBuilt(name=name).payload(), envelope or an_envelope("house.built", house_id or new_id(), 1))

    def changed(self, house_id: UUID, partner_id: UUID, name: str, version: int) -> Raw:
        record = HouseChanged(facts=[], state=HouseState(id=house_id, partner_id=partner_id, name=name))
        return self.raw(record.payload(), an_envelope("house.changed", house_id, version, partner_id))


def tolerant(accepts: Callable[[str], bool], *, name: str = "houses.build") -> Step[HouseBuilt]:
    """Builds houses whose names it accepts, and refuses the others."""

    async def handle(tx: Transaction, event: Event[HouseBuilt]) -> None:
        if not accepts(event.record.name):
            raise NoGarden
        await houses.build(tx, event.record.name)

    return Step(name=name, record=HouseBuilt, handle=handle)


async def as_owner(settings: DatabaseSettings, *statements: str) -> None:
    """Run statements as the owner of the tables."""
    engine = create_async_engine(settings.url("owner"))
    async with engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))
    await engine.dispose()
