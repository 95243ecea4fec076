"""What says who may do what goes first and bulk last, and within an entity nothing overtakes."""

from collections.abc import Sequence

from house import houses
from house.houses import House
from house.records import ClerkHired, HouseBuilt, HouseChanged
from house.relaying import a_partner, drained, relaying, versions
from sqlalchemy import text

from chassis.database import ApiDatabase, Transaction, WorkerDatabase
from chassis.database.outbox import Lane
from chassis.principal import Principal
from chassis.relay.reading import PLANNING, WAVE, Reader
from chassis_testing.topics import Topics


async def lanes(database: WorkerDatabase) -> list[tuple[str, int]]:
    async with database.direct() as connection:
        told = await connection.fetch("select topic, lane from outbox where topic <> 'audit.recorded' order by id")
        return [tuple(row) for row in told]


async def in_bulk(database: ApiDatabase, partner: Principal, number: int, *, times: int = 1) -> list[House]:
    """Houses built by bulk work, and renamed by it."""
    async with database.change(partner, lane=Lane.BULK) as tx:
        built = [await houses.build(tx, f"House {one}") for one in range(number)]
        for turn in range(times - 1):
            for house in built:
                await houses.rename(tx, house.id, f"turn {turn}")
    return built


async def test_access_is_urgent_by_itself_and_the_rest_where_it_is_said(tx: Transaction) -> None:
    tx.tell(ClerkHired(), about=tx.entity("user", tx.new_id(), version=1))
    house = tx.entity("house", tx.new_id(), version=1)
    tx.tell(HouseBuilt(name="Villa"), about=house)
    tx.tell(HouseBuilt(name="Villa"), about=house, urgent=True)

    assert [one.lane for one in tx.told] == [Lane.URGENT, Lane.USUAL, Lane.URGENT]


async def test_what_bulk_work_tells_goes_last(api_database: ApiDatabase, worker_database: WorkerDatabase, topics: Topics) -> None:
    await topics.create("house.built", "house.changed", partitions=1)
    partner = a_partner()
    await in_bulk(api_database, partner, 3)
    async with worker_database.work() as work, work.item(partner.partner_id, lane=Lane.BULK) as item:
        await houses.build(item, "By a job")
    async with api_database.change(partner) as tx:
        await houses.build(tx, "Usual")

    assert {lane for _, lane in (await lanes(worker_database))[:-2]} == {Lane.BULK}
    async with relaying(worker_database, topics):
        await drained(worker_database)
    first = (await topics.everything("house.changed"))[0]
    assert HouseChanged.read(first.payload or b"").state.name == "Usual"


async def test_an_edit_after_bulk_brings_bulks_versions_along_and_is_the_last(
    api_database: ApiDatabase, worker_database: WorkerDatabase, topics: Topics
) -> None:
    await topics.create("house.built", "house.changed", partitions=1)
    partner = a_partner()
    *others, edited = await in_bulk(api_database, partner, 30, times=5)
    async with api_database.change(partner) as tx:
        await houses.rename(tx, edited.id, "By hand")

    async with relaying(worker_database, topics):
        await drained(worker_database)

    assert await versions(topics) == {str(edited.id): [1, 2, 3, 4, 5, 6]} | {str(house.id): [1, 2, 3, 4, 5] for house in others}
    keys = [one.key for one in await topics.everything("house.changed")]
    assert keys[:6] == [str(edited.id).encode()] * 6


async def test_an_entity_with_more_rows_than_a_wave_keeps_its_order_and_holds_no_urgent_row_up(
    api_database: ApiDatabase, worker_database: WorkerDatabase, topics: Topics
) -> None:
    await topics.create("house.built", "house.changed", "clerk.hired", partitions=1)
    partner = a_partner()
    (house,) = await in_bulk(api_database, partner, 1)
    async with worker_database.work() as work, work.item(partner.partner_id, lane=Lane.BULK) as item:
        for version in range(2, 3 * WAVE):
            item.tell(HouseBuilt(name=str(version)), about=item.entity("house", house.id, version=version, customer_id=house.customer_id))
    async with api_database.change(partner) as tx:
        tx.tell(HouseBuilt(name="last"), about=tx.entity("house", house.id, version=3 * WAVE, customer_id=house.customer_id))
        for _ in range(20):
            tx.tell(ClerkHired(), about=tx.entity("user", tx.new_id(), version=1))

    first = await _first_wave(worker_database)
    assert (len(first), set(first[:20])) == (2 * WAVE, {"clerk.hired"})
    async with relaying(worker_database, topics):
        await drained(worker_database)

    assert [one.envelope.aggregate_version for one in await topics.everything("house.built")] == list(range(1, 3 * WAVE + 1))
    assert len(await topics.everything("clerk.hired")) == 20


async def _first_wave(database: WorkerDatabase) -> Sequence[str]:
    async with database.direct(**PLANNING) as connection:
        return [row["topic"] for row in await Reader(connection).wave()]


async def test_a_wave_is_no_larger_than_memory_likes(api_database: ApiDatabase, worker_database: WorkerDatabase) -> None:
    async with api_database.change(a_partner()) as tx:
        for _ in range(40):
            house = tx.entity("house", tx.new_id(), version=1)
            tx.tell(HouseBuilt(name="Villa " * 150_000), about=house)

    async with worker_database.direct(**PLANNING) as connection:
        reader = Reader(connection)
        waves = [await reader.wave() for _ in range(4)]

    assert [sum(row["topic"] == "house.built" for row in wave) for wave in waves] == [19, 19, 2, 0]


async def test_marks_pass_over_nothing_in_any_lane(api_database: ApiDatabase, worker_database: WorkerDatabase) -> None:
    partner = a_partner()
    await in_bulk(api_database, partner, WAVE // 4)
    async with worker_database.work() as work:
        await work.session.execute(text("update outbox set lane = id % 3"))
    await in_bulk(api_database, partner, WAVE // 2)

    async with worker_database.direct(**PLANNING) as connection:
        reader = Reader(connection)
        seen: set[int] = set()
        for _ in range(3):
            seen |= {row["id"] for row in await reader.wave()}
        everything = {row["id"] for row in await connection.fetch("select id from outbox")}

    assert seen == everything


async def test_a_users_and_a_roles_facts_are_urgent_in_bulk_work_too(api_database: ApiDatabase, worker_database: WorkerDatabase) -> None:
    async with api_database.change(a_partner(), lane=Lane.BULK) as tx:
        tx.tell(ClerkHired(), about=tx.entity("user", tx.new_id(), version=1))
        tx.tell(HouseBuilt(name="Villa"), about=tx.entity("house", tx.new_id(), version=1))

    assert await lanes(worker_database) == [("clerk.hired", Lane.URGENT), ("house.built", Lane.BULK)]
