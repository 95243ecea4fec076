"""A worker that stands still with a transaction open holds nobody up for longer than its session with Kafka lasts."""

from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer
from house.consuming import Teller, building, consuming, has
from sqlalchemy import text

from chassis import due
from chassis.database import Transaction, WorkerDatabase
from chassis.due import Due, DueItem, DueWorker
from chassis.ids import new_id
from chassis_testing.clock import FixedClock
from chassis_testing.topics import Topics


@pytest.fixture
async def teller(topics: Topics) -> AsyncIterator[Teller]:
    await topics.create("house.built", "house.changed")
    async with AIOKafkaProducer(bootstrap_servers=topics.kafka) as producer:
        yield Teller(producer, topics.prefix)


async def test_its_successor_goes_on_and_it_learns_so_when_it_wakes(
    worker_database: WorkerDatabase, topics: Topics, teller: Teller
) -> None:
    async with consuming(worker_database, topics, building):
        await teller.tell_built("Villa")
        await has(worker_database, "Villa")
    async with worker_database.direct() as asleep:
        await asleep.execute("begin; lock table inbox in share mode")
        await teller.tell_built("Cottage")

        async with consuming(worker_database, topics, building):
            await has(worker_database, "Villa", "Cottage", within=40)

        with pytest.raises((asyncpg.IdleInTransactionSessionTimeoutError, asyncpg.InterfaceError, asyncpg.ConnectionDoesNotExistError)):
            await asleep.execute("commit")


async def test_due_work_that_waits_for_somebody_else_says_for_how_long(worker_database: WorkerDatabase, clock: FixedClock) -> None:
    patience: list[str] = []

    async def look(tx: Transaction, _item: DueItem) -> None:
        patience.append(await tx.session.scalar(text("show idle_in_transaction_session_timeout")) or "")

    async with worker_database.work() as work, work.item(new_id()) as tx:
        for kind in ("quick", "slow"):
            await due.plan(tx, kind, new_id(), slot="once", at=clock.now())
    worker = DueWorker([Due("quick", look), Due("slow", look, outside=timedelta(seconds=35))], worker_database, clock)

    while await worker.work_one():
        pass

    assert sorted(patience) == ["10s", "35s"]
