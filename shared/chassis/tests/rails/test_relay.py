"""What was told reaches Kafka: nothing is lost, order is kept per entity, and only what was acknowledged is deleted."""

import asyncio
import random
from collections.abc import Sequence
from uuid import UUID

import pytest
from house import houses
from house.houses import House
from house.records import HouseBuilt, HouseChanged, HouseState
from house.relaying import a_partner, drained, left, relaying, versions
from sqlalchemy import select, text, update

from chassis.database import ApiDatabase, Transaction, WorkerDatabase, outbox
from chassis.relay.reading import WAVE
from chassis.relay.terms import in_order
from chassis_testing.topics import Topics
from chassis_testing.waiting import eventually
from contracts.partitions import partition_for

_PATIENTLY = text("set local lock_timeout = '60s'")
"""Eight who wait for one another's houses wait long on a slow machine."""


async def test_a_fact_and_its_state_arrive_with_the_same_version(
    api_database: ApiDatabase, worker_database: WorkerDatabase, topics: Topics
) -> None:
    await topics.create("house.built", "house.changed")
    async with api_database.change(a_partner()) as tx:
        house = await houses.build(tx, "Villa")

    async with relaying(worker_database, topics):
        await drained(worker_database)

    (fact,), (state,) = await topics.everything("house.built"), await topics.everything("house.changed")
    assert fact.key == str(house.customer_id).encode()
    assert state.key == str(house.id).encode()
    assert fact.envelope.aggregate_version == state.envelope.aggregate_version == 1
    assert state.envelope.causation_id == str(fact.envelope.id)
    assert fact.partition == state.partition == partition_for(house.customer_id, 2)
    assert HouseChanged.read(state.payload or b"").state.name == "Villa"


async def test_what_a_transaction_that_fails_told_is_never_published(
    api_database: ApiDatabase, worker_database: WorkerDatabase, topics: Topics
) -> None:
    await topics.create("house.built", "house.changed")

    async def build_and_fail() -> None:
        async with api_database.change(a_partner()) as tx:
            await houses.build(tx, "Castle in the air")
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        await build_and_fail()

    async with relaying(worker_database, topics):
        await drained(worker_database)

    assert await topics.everything("house.built") == []


async def test_twenty_thousand_rows_of_racing_writers_arrive_once_and_in_order_under_late_commits_and_a_held_snapshot(
    api_database: ApiDatabase, worker_database: WorkerDatabase, topics: Topics
) -> None:
    await topics.create("house.built", "house.changed")
    partner = a_partner()
    async with api_database.change(partner) as tx:
        built = [(await houses.build(tx, f"House {number}")).id for number in range(400)]
    expected = dict.fromkeys(map(str, built), 1)

    async def rename_some(seed: int) -> None:
        dice = random.Random(seed)  # noqa: S311 (a schedule, no secret)
        for turn in range(104):
            async with api_database.change(partner) as tx:
                chosen = dice.sample(built, 12)
                await _rename(tx, chosen, f"{seed} {turn}")
                await outbox.write(tx.session, tx.told)
                tx.told.clear()
                await asyncio.sleep(dice.choice([0, 0, 0, 0, 0, 0.01, 0.05]))
            for house_id in chosen:
                expected[str(house_id)] += 1

    holding = worker_database.direct(idle_in_transaction_session_timeout="0")
    async with holding as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.fetchval("select count(*) from outbox")
        async with relaying(worker_database, topics):
            await asyncio.gather(*(rename_some(seed) for seed in range(8)))
            await drained(worker_database)

    assert sum(expected.values()) > 10_000
    assert await versions(topics) == {house_id: list(range(1, last + 1)) for house_id, last in expected.items()}
    assert len(await topics.everything("house.built", "house.changed")) == 2 * sum(expected.values())


async def _rename(tx: Transaction, house_ids: Sequence[UUID], name: str) -> None:
    """Locked in a fixed order, so that writers who share houses wait for one another and never in a ring."""
    these = (House.partner_id == tx.partner_id, House.id.in_(house_ids))
    await tx.session.execute(_PATIENTLY)
    await tx.session.execute(select(House.id).where(*these).order_by(House.id).with_for_update())
    raised = update(House).where(*these).values(name=name, version=House.version + 1).returning(House.id, House.version, House.customer_id)
    for row in await tx.session.execute(raised, execution_options={"synchronize_session": False}):
        about = tx.entity("house", row.id, version=row.version, customer_id=row.customer_id)
        told = tx.tell(HouseBuilt(name=name), about=about)
        state = HouseState(id=row.id, partner_id=tx.partner_id, name=name)
        tx.tell(HouseChanged(facts=["house.built"], state=state), about=about, caused_by=[told])


async def test_a_row_that_commits_late_is_swept_up_while_much_is_going_on(
    api_database: ApiDatabase, worker_database: WorkerDatabase, topics: Topics
) -> None:
    await topics.create("house.built", "house.changed")
    partner = a_partner()

    async def build_on(until: asyncio.Event) -> int:
        number = 0
        while not until.is_set():
            async with api_database.change(partner) as tx:
                await houses.build(tx, f"Early {number}")
            number += 1
        return number

    async with relaying(worker_database, topics):
        enough = asyncio.Event()
        async with api_database.change(partner) as late:
            house = await houses.build(late, "Late")
            await outbox.write(late.session, late.told)
            late.told.clear()
            building = asyncio.create_task(build_on(enough))
            await asyncio.sleep(0.5)

        async def the_late_one_is_there() -> bool:
            return str(house.id) in await versions(topics)

        await eventually(the_late_one_is_there)
        enough.set()
        early = await building
        await drained(worker_database)

    assert await left(worker_database) == 0
    assert len(await topics.everything("house.built")) == early + 1


async def test_a_topic_that_does_not_exist_holds_no_other_up_and_is_made_up_for(
    api_database: ApiDatabase, worker_database: WorkerDatabase, topics: Topics
) -> None:
    """More rows than two waves have no topic; what comes behind them goes out, and what is theirs follows once the topic is there."""
    await topics.create()
    partner = a_partner()
    async with api_database.change(partner) as tx:
        built = [(await houses.build(tx, f"House {number}")).id for number in range(WAVE + 1)]
    async with api_database.change(partner) as tx:
        await houses.rename(tx, built[0], "Villa")
    async with relaying(worker_database, topics) as relay:
        await drained(worker_database)
        assert relay.failures == 0
        assert sum(await topics.sizes("audit.recorded")) == len(built) + 1
        async with worker_database.work() as work:
            assert await outbox.lag(work.session) == 0

        await topics.create("house.built", "house.changed")
        await eventually(lambda: _none_parked(worker_database), within=20)
        await drained(worker_database)

    assert await versions(topics) == {str(house_id): [1, 2] if house_id == built[0] else [1] for house_id in built}
    assert sum(await topics.sizes("house.built")) == len(built) + 1


async def _none_parked(database: WorkerDatabase) -> bool:
    async with database.direct() as connection:
        return not await connection.fetchval("select count(*) from outbox where lane = 3")


def test_an_acknowledged_row_stays_while_an_earlier_one_of_its_entity_waits() -> None:
    first, second = a_partner().partner_id, a_partner().partner_id
    rows = [{"id": number, "entity": entity} for number, entity in enumerate([first, second, first, second])]

    assert in_order(rows, {1, 2, 3}) == [1, 3]  # type: ignore[arg-type]  # rows of asyncpg are mappings
