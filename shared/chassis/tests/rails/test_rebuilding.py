"""A read model can be rebuilt from the topics beside the live one and put in its place, with zero difference (BEY-03)."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiokafka import AIOKafkaProducer
from house.consuming import FOLLOWING, Teller, an_envelope, as_owner, building, consuming
from house.houses import House
from house.records import HouseChanged, HouseState
from sqlalchemy import bindparam, select

from chassis.consumers import Consumer
from chassis.consumers.unparking import Unparking
from chassis.database import ApiDatabase, DatabaseSettings, Reading, WorkerDatabase
from chassis.ids import new_id
from chassis.principal import Principal
from chassis.rebuilding import Rebuilding, Wanted, beside, catalogue
from chassis.rebuilding.models import NoSuchReadModel
from chassis.rebuilding.rebuild import NoOwner, NotRebuildable, RebuiltAlready, TooManyWouldVanish
from chassis_testing.topics import Topics
from chassis_testing.waiting import eventually
from contracts.envelope import encode
from contracts.partitions import partition_for

HERE = Path(__file__).parent.parent
HOUSES = Reading(House, lambda r, _shape: select(r.c.id, r.c.name).where(r.c.name != bindparam("not_this")))


@pytest.fixture
async def teller(topics: Topics) -> AsyncIterator[Teller]:
    await topics.create("house.changed")
    async with AIOKafkaProducer(bootstrap_servers=topics.kafka) as producer:
        yield Teller(producer, topics.prefix)


@pytest.fixture
def rebuilding(fresh_database: DatabaseSettings, topics: Topics) -> Rebuilding:
    return Rebuilding(fresh_database, [Consumer(group="houses", handlers=[FOLLOWING, building])], kafka=topics.kafka, prefix=topics.prefix)


async def tell_many(topics: Topics, houses: dict[UUID, UUID], version: int) -> None:
    """A state of every house, as fast as a relay sends."""
    async with AIOKafkaProducer(bootstrap_servers=topics.kafka, linger_ms=20, max_batch_size=262_144) as producer:
        sent = []
        for house, partner in houses.items():
            record = HouseChanged(facts=[], state=HouseState(id=house, partner_id=partner, name=f"{house} v{version}"))
            headers = encode(an_envelope("house.changed", house, version, partner))
            place = partition_for(partner, 2)
            topic, key = topics.prefix + record.topic, str(house).encode()
            sent.append(await producer.send(topic, record.payload(), key=key, headers=headers, partition=place))
        await asyncio.gather(*sent)


async def followed(database: WorkerDatabase, *named: str) -> None:
    async def all_there() -> bool:
        async with database.direct() as connection:
            found = await connection.fetch("select name from houses where name = any($1::text[])", list(named))
        return len(found) == len(named)

    await eventually(all_there, within=30)


@asynccontextmanager
async def told_without_end(topics: Topics, houses: dict[UUID, UUID]) -> AsyncIterator[list[int]]:
    """Every house is told anew again and again meanwhile; gives the versions so far."""
    versions = [2]

    async def on_and_on() -> None:
        while True:
            await tell_many(topics, houses, versions[-1])
            versions.append(versions[-1] + 1)
            await asyncio.sleep(0.05)

    telling = asyncio.create_task(on_and_on())
    try:
        yield versions
    finally:
        telling.cancel()
        with suppress(asyncio.CancelledError):
            await telling


async def test_a_rebuild_under_ongoing_writes_shows_zero_difference_while_two_workers_go_on(
    rebuilding: Rebuilding, worker_database: WorkerDatabase, topics: Topics, teller: Teller
) -> None:
    houses = {new_id(): new_id() for _ in range(200)}
    await tell_many(topics, houses, 1)
    async with consuming(worker_database, topics, FOLLOWING), consuming(worker_database, topics, FOLLOWING, slot="1"):
        await followed(worker_database, *(f"{house} v1" for house in houses))
        async with told_without_end(topics, houses) as versions:
            checked = [await rebuilding.rebuild("houses", Wanted(check=True)) for _ in range(2)]
            rebuilt = [await rebuilding.rebuild("houses") for _ in range(2)]
        last = versions[-1] + 1
        await tell_many(topics, houses, last)
        await followed(worker_database, *(f"{house} v{last}" for house in houses))

    assert len({table.checksum for report in checked for table in report.tables}) == 2
    assert [(report.differ, report.swapped) for report in checked] == [(0, False)] * 2
    assert [(report.differ, report.swapped) for report in rebuilt] == [(0, True)] * 2
    assert [(report.tables[0].live, report.tables[0].beside) for report in checked + rebuilt] == [(200, 200)] * 4
    async with worker_database.direct() as connection:
        assert await connection.fetchval("select count(*) from houses") == 200
        assert await connection.fetch("select consumer from fences union select consumer from progress") == [("houses",)]
        assert await connection.fetchval("select count(*) from pg_tables where tablename = 'houses'") == 1


async def filled(worker_database: WorkerDatabase, topics: Topics, teller: Teller, *names: str) -> tuple[UUID, dict[str, UUID]]:
    """Houses of one partner, by name, that the live read model has."""
    partner, houses = new_id(), {name: new_id() for name in names}
    for name, house in houses.items():
        await teller.tell_changed(house, partner, name, 1)
    async with consuming(worker_database, topics, FOLLOWING):
        await followed(worker_database, *names)
    return partner, houses


async def test_rows_that_are_not_what_the_topics_say_are_named_by_check_and_mended_by_rebuild(
    rebuilding: Rebuilding, worker_database: WorkerDatabase, topics: Topics, teller: Teller
) -> None:
    partner, houses = await filled(worker_database, topics, teller, "Villa", "Castle", "Hut")
    stray = new_id()
    async with worker_database.direct() as connection:
        await connection.execute("update houses set name = 'Vila' where name = 'Villa'")
        await connection.execute("delete from houses where name = 'Hut'")
        await connection.execute("insert into houses values ($1, $2, 1, $2, 'Nowhere')", partner, stray)

    (checked,) = (await rebuilding.rebuild("houses", Wanted(check=True))).tables
    assert (checked.changed, checked.missing, checked.extra) == (1, 1, 1)
    assert sorted(checked.keys) == sorted(
        f"{how} ({partner},{house})" for how, house in (("changed", houses["Villa"]), ("missing", houses["Hut"]), ("extra", stray))
    )

    assert (await rebuilding.rebuild("houses")).swapped
    assert (await rebuilding.rebuild("houses", Wanted(check=True))).differ == 0
    async with worker_database.direct() as connection:
        assert {row["name"] for row in await connection.fetch("select name from houses")} == {"Villa", "Castle", "Hut"}


async def test_what_was_ended_stays_ended(rebuilding: Rebuilding, worker_database: WorkerDatabase, topics: Topics, teller: Teller) -> None:
    partner, houses = await filled(worker_database, topics, teller, "Villa", "Castle")
    await teller.tell(an_envelope("house.changed", houses["Castle"], 2, partner), None)
    async with consuming(worker_database, topics, FOLLOWING) as worker:
        await eventually(lambda: _holds(worker, worker_database, 1))

    assert (await rebuilding.rebuild("houses")).differ == 0
    async with worker_database.direct() as connection:
        assert [row["name"] for row in await connection.fetch("select name from houses")] == ["Villa"]


async def _holds(worker: Any, database: WorkerDatabase, count: int) -> bool:
    async with database.direct() as connection:
        return worker.caught_up and await connection.fetchval("select count(*) from houses") == count


async def test_a_rebuild_that_was_killed_leaves_the_live_one_alone_and_goes_on_where_it_stood(
    rebuilding: Rebuilding, fresh_database: DatabaseSettings, worker_database: WorkerDatabase, topics: Topics, teller: Teller
) -> None:
    houses = {new_id(): new_id() for _ in range(1_500)}
    for version in range(1, 7):
        await tell_many(topics, houses, version)
    async with consuming(worker_database, topics, FOLLOWING):
        await followed(worker_database, *(f"{house} v6" for house in houses))

    killed = await _kill_in_the_middle(fresh_database, worker_database, topics)
    async with worker_database.direct() as connection:
        assert await connection.fetchval("select count(*) from houses where name like '% v6'") == 1_500

    passed: list[int] = []
    report = await rebuilding.rebuild("houses", say=lambda what, done, _of: passed.append(done) if what == "reading" else None)
    assert 0 < killed < 9_000
    assert min(passed) >= killed
    assert (report.resumed, report.differ, report.swapped) == (True, 0, True)


async def _kill_in_the_middle(settings: DatabaseSettings, database: WorkerDatabase, topics: Topics) -> int:
    """Begin a rebuild in a process, kill it once it has filled a little; answers how far its fences stand."""
    told = {
        "database": {"service": settings.service, "host": settings.host, "port": settings.port, "name": settings.name},
        "passwords": {login: settings.password(login) for login in settings.passwords},
        "kafka": topics.kafka,
        "prefix": topics.prefix,
    }
    environment = os.environ | {"PYTHONPATH": str(HERE)}
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "house.rebuild_process", json.dumps(told), env=environment)

    async def has_begun() -> int:
        async with database.direct() as connection:
            return int(
                await connection.fetchval("select coalesce(sum(next_offset), 0) from fences where consumer = 'houses rebuilds houses'")
            )

    await eventually(has_begun, within=30, every=0.002)
    process.kill()
    await process.wait()
    return await has_begun()


async def test_a_partner_reads_its_houses_throughout(
    rebuilding: Rebuilding, api_database: ApiDatabase, worker_database: WorkerDatabase, topics: Topics, teller: Teller
) -> None:
    """Through its role and view, on connections whose statements were prepared before the swap."""
    names = [f"House {number}" for number in range(30)]
    partner, houses = await filled(worker_database, topics, teller, *names)
    principal = Principal(kind="partner", user_id=new_id(), partner_id=partner, gen=1)
    done = asyncio.Event()

    async def read_on() -> list[int]:
        counts = []
        while not done.is_set():
            async with api_database.read(principal) as read:
                counts.append(len(await read.rows(HOUSES, not_this="none")))
        return counts

    readers = [asyncio.create_task(read_on()) for _ in range(4)]
    for _ in range(3):
        assert (await rebuilding.rebuild("houses")).swapped
    async with consuming(worker_database, topics, FOLLOWING):
        await teller.tell_changed(houses["House 0"], partner, "Palace", 2)
        await followed(worker_database, "Palace")
    async with api_database.read(principal) as read:
        assert "Palace" in {row["name"] for row in await read.rows(HOUSES, not_this="none")}
    done.set()
    counts = [count for reader in readers for count in await reader]
    assert set(counts) == {30}
    assert len(counts) > 100


async def test_what_is_told_while_a_long_query_holds_the_swap_up_is_there_afterwards(
    rebuilding: Rebuilding, worker_database: WorkerDatabase, topics: Topics, teller: Teller
) -> None:
    partner, houses = await filled(worker_database, topics, teller, "Villa", "Castle")
    swapping = asyncio.Event()

    async with consuming(worker_database, topics, FOLLOWING):
        async with worker_database.direct() as reader, reader.transaction():
            await reader.fetch("select name from houses")
            rebuild = asyncio.create_task(rebuilding.rebuild("houses", say=lambda what, *_: swapping.set() if what == "swapping" else None))
            await asyncio.wait_for(swapping.wait(), timeout=60)
            await teller.tell_changed(houses["Villa"], partner, "Palace", 2)
            await teller.tell_changed(new_id(), partner, "Hut", 1)
            await followed(worker_database, "Palace", "Hut")
        assert (await rebuild).swapped

    async with worker_database.direct() as connection:
        assert {row["name"] for row in await connection.fetch("select name from houses")} == {"Palace", "Hut", "Castle"}


async def test_policies_grants_indexes_and_views_are_exactly_those_of_before(
    rebuilding: Rebuilding, fresh_database: DatabaseSettings, worker_database: WorkerDatabase, topics: Topics, teller: Teller
) -> None:
    await as_owner(
        fresh_database,
        "create index houses_name on houses (partner_id, name desc) include (version) where name <> 'x'",
        "create index houses_words on houses using gin (to_tsvector('simple', name))",
        "alter table houses add constraint name_is_short check (length(name) < 4000), alter column name set default 'Hut'",
        "alter table houses set (fillfactor = 70)",
        "comment on column houses.name is 'as it is called'",
        "create view houses_short with (security_barrier) as select id from houses"
        " where partner_id = nullif(current_setting('app.partner', true), '')::uuid and length(name) < 5",
        "grant select on houses_short to licensing_partner",
    )
    await filled(worker_database, topics, teller, "Villa")
    before = await _catalogue(worker_database)

    report = await rebuilding.rebuild("houses", Wanted(keep=True))

    assert report.swapped
    assert await _catalogue(worker_database) == before
    async with worker_database.direct() as connection:
        assert await beside.standing(connection, ["houses"], catalogue.BEFORE) == ["houses"]
    assert (await rebuilding.rebuild("houses")).swapped
    async with worker_database.direct() as connection:
        assert await beside.standing(connection, ["houses"], catalogue.BEFORE) == []


async def _catalogue(database: WorkerDatabase) -> tuple[set[catalogue.Trait], Sequence[Any]]:
    async with database.direct() as connection:
        views = await connection.fetch(
            "select relname, pg_get_viewdef(oid), reloptions, relacl::text, pg_get_userbyid(relowner) from pg_class"
            " where relnamespace = 'public'::regnamespace and relname like 'houses\\_%' and relkind = 'v' order by relname"
        )
        return await catalogue.traits(connection, "public", "houses"), views


async def test_what_cannot_take_effect_is_parked_in_the_rebuild_too_and_stays_known(
    rebuilding: Rebuilding, worker_database: WorkerDatabase, topics: Topics, teller: Teller
) -> None:
    await filled(worker_database, topics, teller, "Villa")
    partner = new_id()
    await teller.tell(an_envelope("house.changed", new_id(), 1, partner), b"no house")
    await teller.tell_changed(new_id(), partner, "Castle", 1)
    async with consuming(worker_database, topics, FOLLOWING):
        await followed(worker_database, "Castle")
    async with worker_database.direct() as connection:
        await connection.execute("delete from parked")

    report = await rebuilding.rebuild("houses")

    assert (report.differ, report.parked, report.swapped) == (0, 1, True)
    consumer = Consumer(group="houses", handlers=[FOLLOWING])
    (row,) = await Unparking(worker_database, [consumer]).listed()
    assert (row.consumer, row.payload) == ("houses", b"no house")


async def test_rows_that_the_topics_have_lost_do_not_vanish_unasked(
    rebuilding: Rebuilding, worker_database: WorkerDatabase, topics: Topics, teller: Teller
) -> None:
    await filled(worker_database, topics, teller, "Villa")
    async with worker_database.direct() as connection:
        for lost in (new_id(), new_id(), new_id()):
            await connection.execute("insert into houses values ($1, $2, 1, $2, 'Lost')", new_id(), lost)

    with pytest.raises(TooManyWouldVanish, match="3 rows"):
        await rebuilding.rebuild("houses", Wanted(may_vanish=2))

    assert (await rebuilding.rebuild("houses", Wanted(may_vanish=3))).swapped


async def test_what_cannot_be_rebuilt_is_refused_with_the_reason(
    rebuilding: Rebuilding, fresh_database: DatabaseSettings, topics: Topics, teller: Teller
) -> None:
    with pytest.raises(NoSuchReadModel) as unknown:
        await rebuilding.rebuild("castles")
    assert unknown.value.remedy == "There are: houses."

    worker_only = DatabaseSettings(
        service=fresh_database.service,
        host=fresh_database.host,
        port=fresh_database.port,
        name=fresh_database.name,
        passwords={"worker": fresh_database.passwords["worker"]},
    )
    with pytest.raises(NoOwner):
        await Rebuilding(worker_only, [Consumer(group="houses", handlers=[FOLLOWING])], kafka=topics.kafka).rebuild("houses")

    await as_owner(
        fresh_database,
        "create table gardens (partner_id uuid, house_id uuid)",
        "alter table gardens add constraint gardens_house foreign key (partner_id, house_id) references houses",
        "create materialized view houses_counted as select count(*) from houses",
    )
    with pytest.raises(NotRebuildable) as held:
        await rebuilding.rebuild("houses")
    assert "houses is pointed at by the foreign key gardens_house of gardens" in held.value.detail
    assert "materialized view houses_counted" in held.value.detail
    ((model, why),) = await rebuilding.listed()
    assert (model.name, len(why)) == ("houses", 2)


async def test_a_read_model_is_rebuilt_by_one_at_a_time(rebuilding: Rebuilding, worker_database: WorkerDatabase, teller: Teller) -> None:
    async with worker_database.direct() as another:
        await another.execute("select pg_advisory_lock(hashtextextended('houses rebuilds houses', 0))")
        with pytest.raises(RebuiltAlready):
            await rebuilding.rebuild("houses")

    assert (await rebuilding.rebuild("houses")).swapped
