"""How old what is known of rights may be is known to every process, in memory, and never understated."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from house.confirming import ACCESS_TOPICS
from house.relaying import a_partner
from prometheus_client import generate_latest
from sqlalchemy import text

from chassis.access import projection
from chassis.access.freshness import FRESH, Freshness
from chassis.clock import SystemClock
from chassis.consumers.worker import ConsumerWorker
from chassis.database import ApiDatabase, WorkerDatabase
from chassis.metrics import REGISTRY
from chassis.relay import Relay
from chassis.relay.beating import Heart
from chassis_testing.clock import FixedClock
from chassis_testing.topics import Topics
from chassis_testing.waiting import eventually
from contracts.customers.roles import RoleChanged, RoleState


@asynccontextmanager
async def running(*loops: ConsumerWorker | Relay) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(loop.run()) for loop in loops]
    try:
        yield
    finally:
        for loop in loops:
            loop.stop()
        await asyncio.gather(*tasks)


def a_relay(database: WorkerDatabase, topics: Topics) -> Relay:
    return Relay(database, kafka=topics.kafka, prefix=topics.prefix, heart=Heart("customers", ACCESS_TOPICS, SystemClock()))


def a_reader(database: WorkerDatabase, topics: Topics) -> ConsumerWorker:
    return ConsumerWorker(projection.consumer("licensing"), database, kafka=topics.kafka, prefix=topics.prefix)


async def until_fresh(freshness: Freshness) -> None:
    async def look() -> bool:
        await freshness.look()
        return freshness.fresh

    await eventually(look, within=20)


async def test_a_process_that_only_answers_knows_how_old_its_knowledge_is(
    api_database: ApiDatabase, worker_database: WorkerDatabase, topics: Topics
) -> None:
    """Beats go through the outbox, Kafka and the access group; each carries everything that was told before it."""
    await topics.create(*projection.consumer("licensing").topics())
    partner = a_partner()
    freshness = Freshness(api_database, SystemClock())
    assert freshness.age == timedelta.max

    async with running(a_relay(worker_database, topics), a_reader(worker_database, topics)):
        await until_fresh(freshness)
        async with api_database.change(partner) as tx:
            role = RoleState(
                id=tx.new_id(),
                partner_id=partner.partner_id,
                name="Technicians",
                predefined=False,
                permissions=[],
                all_customers=None,
                default_level="read",
                customers={},
                tags={},
            )
            tx.tell(RoleChanged(facts=[], state=role), about=tx.entity("role", role.id, version=1))
        edited = SystemClock().now()

        async def known_since() -> bool:
            await freshness.look()
            return freshness.known_at is not None and freshness.known_at > edited

        await eventually(known_since, within=20)
        async with worker_database.direct() as connection:
            assert await connection.fetchval("select count(*) from access_roles where id = $1", role.id) == 1


async def test_knowledge_ages_by_the_clock_and_shows_its_age(api_database: ApiDatabase, worker_database: WorkerDatabase) -> None:
    clock = FixedClock()
    freshness = Freshness(api_database, clock)
    assert b"access_age_seconds +Inf" in generate_latest(REGISTRY)
    async with worker_database.work() as work:
        told = {"first": clock.now() - timedelta(seconds=1), "second": clock.now()}
        await work.session.execute(
            text(
                "insert into progress (consumer, topic, partition, beat_at)"
                " values ('licensing.access', 'user.changed', 0, :first), ('licensing.access', 'user.changed', 1, :second),"
                " ('licensing.access', 'partner.clock_advanced', 0, null)"
            ),
            told,
        )
    await freshness.look()
    assert (freshness.age, freshness.fresh, freshness.readable) == (timedelta(seconds=1), True, True)

    clock.move(FRESH)
    assert (freshness.fresh, freshness.readable) == (False, True)
    assert b"access_age_seconds 6.0" in generate_latest(REGISTRY)
    clock.move(timedelta(minutes=1))
    assert not freshness.readable


async def test_a_process_has_caught_up_when_the_group_has_read_what_stood_there_at_its_start(
    api_database: ApiDatabase, worker_database: WorkerDatabase, topics: Topics
) -> None:
    await topics.create(*projection.consumer("licensing").topics())
    freshness = Freshness(api_database, SystemClock())
    await freshness.look()
    assert not freshness.caught_up

    async with running(a_reader(worker_database, topics)):

        async def look() -> bool:
            await freshness.look()
            return freshness.caught_up

        await eventually(look, within=20)
