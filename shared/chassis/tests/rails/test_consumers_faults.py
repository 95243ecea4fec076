"""Two workers are killed, stopped, ended and started again under load: no effect is lost or doubled, and each entity's order is kept."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiokafka import AIOKafkaProducer
from house.consuming import an_envelope, as_owner
from house.records import HouseBuilt, HouseChanged, HouseState

from chassis.database import DatabaseSettings, WorkerDatabase
from chassis.ids import new_id
from chassis_testing.topics import Topics
from chassis_testing.waiting import eventually
from contracts.envelope import Envelope, encode
from contracts.partitions import partition_for
from contracts.records import Record

HERE = Path(__file__).parent.parent
PARTITIONS = 4
HOUSES = 250
EACH = 100
STATES = 3
"""Facts of each house, and states with each: 100,000 records, and a tenth of them once more."""
NAP = 8.0
ZOMBIE = 12.0
"""Seconds of sleep: a session ends after ten."""

_EFFECTS = (
    "create table effects (position bigint generated always as identity primary key, subject uuid not null, number int not null)",
    "grant insert, select on effects to licensing_worker",
)


class Replica:
    """One worker in a process of its own, in a slot."""

    def __init__(self, settings: DatabaseSettings, topics: Topics, slot: str) -> None:
        self._told = {
            "database": {"service": settings.service, "host": settings.host, "port": settings.port, "name": settings.name},
            "password": settings.password("worker"),
            "kafka": topics.kafka,
            "prefix": topics.prefix,
            "slot": slot,
        }
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "house.consumer_process",
            json.dumps(self._told),
            stdout=asyncio.subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": str(HERE)},
        )

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    async def gone(self) -> None:
        assert self._process is not None
        await asyncio.wait_for(self._process.wait(), timeout=15)

    async def end(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self.send(signal.SIGCONT)
            self.send(signal.SIGTERM)
            await self.gone()


async def slept(replica: Replica, seconds: float) -> None:
    replica.send(signal.SIGSTOP)
    await asyncio.sleep(seconds)
    replica.send(signal.SIGCONT)


@asynccontextmanager
async def replicas(settings: DatabaseSettings, topics: Topics) -> AsyncIterator[tuple[Replica, Replica]]:
    both = Replica(settings, topics, "0"), Replica(settings, topics, "1")
    try:
        for one in both:
            await one.start()
        yield both
    finally:
        for one in both:
            await one.end()


async def tell(topics: Topics, houses: dict[UUID, UUID], numbers: range) -> None:
    """Numbered facts and states of every house; every tenth is told again a little later, as a relay may."""
    producer = AIOKafkaProducer(bootstrap_servers=topics.kafka, max_batch_size=262_144, compression_type="lz4")
    async with producer:
        again: list[tuple[Record, Envelope]] = []
        for number in numbers:
            told = [record for house, partner in houses.items() for record in records(house, partner, number)]
            await send(producer, topics, [*told, *again])
            again = told if number % 10 == 0 else []


def records(house: UUID, partner: UUID, number: int) -> list[tuple[Record, Envelope]]:
    state = HouseChanged(facts=[], state=HouseState(id=house, partner_id=partner, name=str(number)))
    told: list[Record] = [HouseBuilt(name=str(number)), *[state] * STATES]
    return [(record, an_envelope(record.topic, house, (STATES + 1) * number + place, partner)) for place, record in enumerate(told, 1)]


async def send(producer: AIOKafkaProducer, topics: Topics, told: Sequence[tuple[Record, Envelope]]) -> None:
    """In batches, as the relay does."""
    batches: dict[tuple[str, int], list[Any]] = {}
    for record, envelope in told:
        of_place = batches.setdefault((topics.prefix + record.topic, partition_for(envelope.partner_id, PARTITIONS)), [])
        row = {"timestamp": None, "key": str(envelope.subject).encode(), "value": record.payload(), "headers": encode(envelope)}
        if not of_place or of_place[-1].append(**row) is None:
            of_place.append(producer.create_batch())
            of_place[-1].append(**row)
    for (topic, partition), of_place in batches.items():
        for batch in of_place:
            await (await producer.send_batch(batch, topic, partition=partition))


async def effects(database: WorkerDatabase) -> dict[UUID, list[int]]:
    async with database.direct() as connection:
        rows = await connection.fetch("select subject, array_agg(number order by position) as numbers from effects group by subject")
    return {row["subject"]: row["numbers"] for row in rows}


async def noted(database: WorkerDatabase, count: int, *, within: float = 150.0) -> None:
    async with database.direct() as connection:

        async def enough() -> bool:
            return int(await connection.fetchval("select count(*) from effects")) >= count

        await eventually(enough, within=within, every=0.2)


@pytest.mark.timeout(400)
async def test_no_effect_is_lost_doubled_or_out_of_order_whatever_happens_to_two_workers(
    fresh_database: DatabaseSettings, worker_database: WorkerDatabase, topics: Topics
) -> None:
    """100,000 records: kill -9 and restart, SIGSTOP within and beyond the session (a zombie wakes up with a batch in hand), SIGTERM."""
    await topics.create("house.built", "house.changed", partitions=PARTITIONS)
    await as_owner(fresh_database, *_EFFECTS)
    houses = {new_id(): new_id() for _ in range(HOUSES)}
    all_effects = HOUSES * EACH

    async with replicas(fresh_database, topics) as (first, second):
        telling = asyncio.create_task(tell(topics, houses, range(EACH)))
        await noted(worker_database, all_effects // 20)
        first.send(signal.SIGKILL)
        await first.gone()
        await first.start()
        await noted(worker_database, all_effects // 10)
        await slept(second, NAP)
        await noted(worker_database, all_effects // 5)
        await slept(first, ZOMBIE)
        await telling
        await noted(worker_database, all_effects // 2)
        second.send(signal.SIGTERM)
        await second.gone()
        await second.start()
        await noted(worker_database, all_effects)

        async def settled() -> bool:
            async with worker_database.direct() as connection:
                return await connection.fetchval("select count(*) from houses where name = $1", str(EACH - 1)) == HOUSES

        await eventually(settled, within=60)

    assert await effects(worker_database) == {house: list(range(EACH)) for house in houses}
