"""An entity ends with a record without a body behind all its others, and one that changes hands is told of by both partners."""

from datetime import timedelta
from uuid import UUID

import pytest
from house import houses
from house.houses import House
from house.records import HouseBuilt, HouseChanged, HouseState
from house.relaying import a_partner, drained, relaying
from sqlalchemy import delete, select

from chassis import due
from chassis.database import ApiDatabase, WorkerDatabase
from chassis.database.clocks import PartnerClock
from chassis.due import DueRow
from chassis.rehoming import rehome, rehome_due
from chassis_testing.topics import Topics


async def a_house(api_database: ApiDatabase) -> House:
    async with api_database.change(a_partner()) as tx:
        return await houses.build(tx, "Villa")


async def test_behind_its_ending_nothing_is_kept_of_an_entity(
    api_database: ApiDatabase, worker_database: WorkerDatabase, topics: Topics
) -> None:
    await topics.create("house.built", "house.changed")
    house = await a_house(api_database)
    async with worker_database.work() as work, work.item(house.partner_id) as tx:
        await tx.session.execute(delete(House).where(House.partner_id == house.partner_id))
        about = tx.entity("house", house.id, version=house.version + 1, customer_id=house.customer_id)
        tx.tell(HouseBuilt(name="Ruin"), about=about)
        tx.tell(HouseChanged.ending(), about=about, urgent=True)
        with pytest.raises(ValueError, match="was told at version 2 before"):
            tx.tell(HouseChanged.ending(), about=about)

    async with relaying(worker_database, topics):
        await drained(worker_database)

    first, last = await topics.everything("house.changed")
    assert (first.key, first.partition) == (last.key, last.partition)
    assert (first.payload is None, last.payload) == (False, None)
    assert last.envelope.aggregate_version == 2


async def test_who_changes_hands_is_told_of_by_both_and_once(api_database: ApiDatabase, worker_database: WorkerDatabase) -> None:
    house, new = await a_house(api_database), a_partner().partner_id
    async with worker_database.work() as work, work.item(house.partner_id) as tx:
        await due.plan(tx, "house.painted", house.id, slot="once", at=tx.now)
        async with tx.beside(new) as other:
            await rehome_due(other, [house.id])
            assert await rehome(other, house.customer_id, House) == 1
            assert await rehome(other, house.customer_id, House) == 0
            other.tell(HouseChanged(facts=[], state=state_of(house, new)), about=other.entity("house", house.id, version=2))
        with pytest.raises(ValueError, match="was told at version 2 before"):
            tx.tell(HouseChanged(facts=[], state=state_of(house, new)), about=tx.entity("house", house.id, version=2))

        assert [one.envelope.partner_id for one in tx.told] == [new]
        for noun in (House, DueRow):
            assert list(await tx.session.scalars(select(noun.partner_id).where(noun.partner_id.in_([house.partner_id, new])))) == [new]


async def test_nobody_takes_anything_out_of_a_sandbox(api_database: ApiDatabase, worker_database: WorkerDatabase) -> None:
    house = await a_house(api_database)
    async with worker_database.work() as work:
        work.note_clock(house.partner_id, PartnerClock(ahead=timedelta(), standing_at=None))
        async with work.item(house.partner_id) as tx:
            with pytest.raises(ValueError, match="stays in its sandbox"):
                async with tx.beside(a_partner().partner_id):
                    pass


def state_of(house: House, partner_id: UUID) -> HouseState:
    return HouseState(id=house.id, partner_id=partner_id, name=house.name)
