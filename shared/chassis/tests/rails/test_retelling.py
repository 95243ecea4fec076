"""Every entity's state can be told anew: one version higher, in bulk, with nobody overtaken."""

import pytest
from house import houses
from house.houses import House
from house.records import HouseChanged, HouseState
from house.relaying import a_partner, drained, relaying, versions

from chassis import retelling
from chassis.database import ApiDatabase, Transaction, WorkerDatabase
from chassis.database.outbox import Lane
from chassis.retelling import Retelling, retell
from chassis_testing.topics import Topics


def tell_house(tx: Transaction, house: House) -> None:
    about = tx.entity("house", house.id, version=house.version, customer_id=house.customer_id)
    tx.tell(HouseChanged(facts=[], state=HouseState.model_validate(house)), about=about)


HOUSES = Retelling(aggregate="house", rows=House, tell=tell_house)


async def test_all_entities_of_all_partners_are_told_one_version_higher(
    api_database: ApiDatabase, worker_database: WorkerDatabase, topics: Topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retelling, "_LONGEST_LAG", 3600.0)  # nothing is sent before all is told
    await topics.create("house.built", "house.changed")
    built = []
    for partner in (a_partner(), a_partner(), a_partner()):
        async with api_database.change(partner) as tx:
            built += [(await houses.build(tx, f"House {number}")).id for number in range(5)]

    assert await retell(worker_database, HOUSES, batch=4) == 15
    async with worker_database.direct() as connection:
        told = await connection.fetch("select lane, count(*) from outbox where topic <> 'audit.recorded' group by lane order by lane")
        assert told == [(Lane.USUAL, 30), (Lane.BULK, 15)]
    async with relaying(worker_database, topics):
        await drained(worker_database)

    assert await versions(topics) == {str(house_id): [1, 2] for house_id in built}
    last = (await topics.everything("house.changed"))[-1]
    assert HouseChanged.read(last.payload or b"").facts == []


async def test_one_partners_entities_alone_are_told_anew_and_it_is_said_how_far_it_is(
    api_database: ApiDatabase, worker_database: WorkerDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retelling, "_LONGEST_LAG", 3600.0)
    this, other = a_partner(), a_partner()
    for partner in (this, other):
        async with api_database.change(partner) as tx:
            for number in range(5):
                await houses.build(tx, f"House {number}")
    so_far: list[int] = []

    assert await retell(worker_database, HOUSES, partner_id=this.partner_id, batch=2, so_far=so_far.append) == 5

    assert so_far == [2, 4, 5]
    async with worker_database.direct() as connection:
        raised = await connection.fetch("select distinct partner_id from houses where version = 2")
    assert [row["partner_id"] for row in raised] == [this.partner_id]


async def test_a_retelling_waits_until_what_it_told_is_out(
    api_database: ApiDatabase, worker_database: WorkerDatabase, topics: Topics
) -> None:
    await topics.create("house.built", "house.changed")
    async with api_database.change(a_partner()) as tx:
        built = [(await houses.build(tx, f"House {number}")).id for number in range(20)]
    async with worker_database.direct() as connection:
        await connection.execute("update outbox set created_at = clock_timestamp() - interval '1 hour'")

    async with relaying(worker_database, topics):
        assert await retell(worker_database, HOUSES, batch=5) == 20
        await drained(worker_database)

    assert await versions(topics) == {str(house_id): [1, 2] for house_id in built}
    order = [one.envelope.aggregate_version for one in await topics.everything("house.built")]
    assert order == [1] * 20
