"""Behind a parked effect its subject waits, in order; who unparks or skips it lets the others follow, whatever the consumer does."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from uuid import UUID

import pytest
from house import houses
from house.consuming import FOLLOWING, Log, NoGarden, an_envelope, as_owner, in_order, names, reasons, tolerant
from house.records import HouseBuilt, HouseChanged
from sqlalchemy import text

from chassis.consumers import Consumer, Event, Step
from chassis.consumers.batches import Batches
from chassis.consumers.handlers import Handler
from chassis.consumers.unparking import NobodyFollows, NotParked, Outcome, StandsBehind, Unparking
from chassis.database import DatabaseSettings, Transaction, Work, WorkerDatabase
from chassis.ids import new_id


def consumer(*handlers: Handler) -> Consumer:
    return Consumer(group="houses", handlers=handlers)


def batches(database: WorkerDatabase, *handlers: Handler) -> Batches:
    return Batches(database, consumer(*handlers), prefix="")


def unparking(database: WorkerDatabase, *handlers: Handler) -> Unparking:
    return Unparking(database, [consumer(*handlers)])


async def standings(database: WorkerDatabase) -> list[tuple[str, str]]:
    async with database.direct() as connection:
        rows = await connection.fetch("select standing, settled_by, settled_because from parked order by number")
    return [(row["standing"], " ".join(filter(None, (row["settled_by"], row["settled_because"])))) for row in rows]


async def parked_ids(database: WorkerDatabase) -> list[UUID]:
    async with database.direct() as connection:
        return [row["id"] for row in await connection.fetch("select id from parked where settled_at is null order by number")]


refusing = tolerant(lambda name: "bad" not in name)
mended = tolerant(lambda name: "worse" not in name)


async def test_an_effect_of_the_same_subject_waits_behind_a_parked_one_and_others_do_not(worker_database: WorkerDatabase) -> None:
    log, house = Log(), new_id()
    apply = batches(worker_database, refusing).apply
    await apply([log.built("first", house), log.built("bad", house), log.built("third", house), log.built("other")])
    await apply([log.built("fourth", house), log.raw(b"{broken", an_envelope("house.built", house, 1)), log.built("another")])

    assert await in_order(worker_database) == ["first", "other", "another"]
    assert [standing for standing, _ in await standings(worker_database)] == ["parked", "blocked", "blocked", "blocked"]


async def test_what_the_database_forbids_a_handler_is_parked_and_the_others_go_on(
    fresh_database: DatabaseSettings, worker_database: WorkerDatabase
) -> None:
    """SQLSTATE 42501, in an effect and in a read model."""
    await as_owner(fresh_database, "create table vault (id uuid)")

    async def break_in(tx: Transaction, event: Event[HouseBuilt]) -> None:
        if event.record.name == "vault":
            await tx.session.execute(text("select from vault"))
        await houses.build(tx, event.record.name)

    async def break_in_too(work: Work, events: Sequence[Event[HouseChanged]]) -> None:
        if any(event.record.state.name == "vault" for event in events):
            await work.session.execute(text("insert into vault values (gen_random_uuid())"))
        await FOLLOWING.apply(work, events)

    effects, states = Log(), Log("house.changed")
    step = Step(name="houses.break_in", record=HouseBuilt, handle=break_in)
    await batches(worker_database, step).apply([effects.built(name) for name in ("1", "vault", "3")])
    following = replace(FOLLOWING, apply=break_in_too)
    told = [states.changed(new_id(), new_id(), name, 1) for name in ("4", "vault", "6")]
    await batches(worker_database, following).apply(told)

    assert sorted(await names(worker_database)) == ["1", "3", "4", "6"]
    said = "InsufficientPrivilegeError: permission denied for table vault"
    assert await reasons(worker_database) == [said, said]


async def test_a_read_model_waits_for_nothing(worker_database: WorkerDatabase) -> None:
    log, house, partner = Log("house.changed"), new_id(), new_id()
    await batches(worker_database, FOLLOWING).apply([log.changed(house, partner, "\x00", 1), log.changed(new_id(), partner, "other", 1)])
    await batches(worker_database, FOLLOWING).apply([log.changed(house, partner, "second", 2)])

    assert sorted(await names(worker_database)) == ["other", "second"]
    assert [standing for standing, _ in await standings(worker_database)] == ["parked"]


async def test_unparking_replays_in_order_up_to_what_still_cannot_be(worker_database: WorkerDatabase) -> None:
    log, house = Log(), new_id()
    told = ["bad 1", "2", "worse 3", "bad 4", "5"]
    await batches(worker_database, tolerant(lambda name: "b" not in name)).apply([log.built(name, house) for name in told])
    first, *_, last = await parked_ids(worker_database)

    with pytest.raises(StandsBehind):
        await unparking(worker_database, mended).unpark(last, by="ada")
    outcome = await unparking(worker_database, mended).unpark(first, by="ada")

    assert (outcome.replayed, outcome.still) == (2, "no_garden: A house without a garden is not taken.")
    assert await in_order(worker_database) == ["bad 1", "2"]
    assert await standings(worker_database) == [("replayed", "ada")] * 2 + [("parked", ""), ("blocked", ""), ("blocked", "")]
    with pytest.raises(NotParked):
        await unparking(worker_database, mended).unpark(first, by="ada")


async def test_a_skipped_record_keeps_who_and_why_and_those_behind_it_follow(worker_database: WorkerDatabase) -> None:
    log, house = Log(), new_id()
    batch = [log.built(name, house) for name in ("bad", "2", "3")]
    await batches(worker_database, refusing).apply(batch)
    (first, *_) = await parked_ids(worker_database)

    outcome = await unparking(worker_database, refusing).skip(first, by="grace", because="the house burnt down")

    assert outcome == Outcome(2)
    assert await standings(worker_database) == [("skipped", "grace the house burnt down"), ("replayed", "grace"), ("replayed", "grace")]
    async with worker_database.direct() as connection:
        await connection.execute("delete from fences; delete from inbox")
    await batches(worker_database, refusing).apply(batch[:1])
    assert [standing for standing, _ in await standings(worker_database)] == ["skipped", "replayed", "replayed"]


async def test_what_could_not_be_read_is_replayed_unless_its_twin_took_effect(worker_database: WorkerDatabase) -> None:
    log, told = Log(), an_envelope("house.built", new_id(), 1)
    await batches(worker_database, refusing).apply([log.raw(b'{"name": "good"', told)])
    async with worker_database.direct() as connection:
        await connection.execute("update parked set payload = payload || '}'::bytea")
    (first,) = await parked_ids(worker_database)
    await unparking(worker_database, refusing).skip(first, by="ada", because="tried again below")
    await batches(worker_database, refusing).apply([log.built("good", envelope=told)])
    async with worker_database.direct() as connection:
        await connection.execute("update parked set settled_at = null, standing = 'parked'")

    assert await unparking(worker_database, refusing).unpark(first, by="ada") == Outcome(1)
    assert await in_order(worker_database) == ["good"]


async def test_a_parked_event_that_is_delivered_again_is_kept_once_and_replayed_once(worker_database: WorkerDatabase) -> None:
    log, told = Log(), an_envelope("house.built", new_id(), 1)
    behind = an_envelope("house.built", told.subject, 2)
    again = [
        log.built("bad", envelope=told),
        log.built("2", envelope=behind),
        log.built("bad", envelope=told),
        log.built("2", envelope=behind),
    ]
    await batches(worker_database, refusing).apply(again)
    (first, _) = await parked_ids(worker_database)

    assert await unparking(worker_database, mended).unpark(first, by="ada") == Outcome(2)
    assert await in_order(worker_database) == ["bad", "2"]


async def test_a_record_whose_handler_is_gone_can_only_be_skipped(worker_database: WorkerDatabase) -> None:
    log, house = Log(), new_id()
    await batches(worker_database, refusing).apply([log.built("bad", house), log.built("2", house)])
    first, _ = await parked_ids(worker_database)

    with pytest.raises(NobodyFollows):
        await unparking(worker_database, FOLLOWING).unpark(first, by="ada")
    assert await unparking(worker_database, FOLLOWING).skip(first, by="ada", because="gone") == Outcome(0)


async def test_another_record_at_the_place_of_a_parked_one_is_parked_too(worker_database: WorkerDatabase) -> None:
    """As after a topic was made anew: offsets begin again, and nothing may be lost for it."""
    told = an_envelope("house.built", new_id(), 1)
    for payload in (b"{one", b"{another", b"{one"):
        await batches(worker_database, refusing).apply([Log().raw(payload, told)])
        async with worker_database.direct() as connection:
            await connection.execute("delete from fences")

    assert len(await parked_ids(worker_database)) == 2


class Moods:
    """A step that refuses one event of ten, or none, as its mood is."""

    def __init__(self) -> None:
        self.lenient = False
        self.step = Step(name="houses.build", record=HouseBuilt, handle=self._handle)

    async def _handle(self, tx: Transaction, event: Event[HouseBuilt]) -> None:
        if not self.lenient and event.record.name.endswith("3"):
            raise NoGarden
        await houses.build(tx, event.record.name)


async def unpark_all(database: WorkerDatabase, step: Handler) -> None:
    for parked_id in await parked_ids(database):
        with suppress(NotParked, StandsBehind):
            await unparking(database, step).unpark(parked_id, by="ada")


async def test_unparking_races_with_the_consumer_and_nothing_is_lost_doubled_or_out_of_order(worker_database: WorkerDatabase) -> None:
    """The consumer goes on parking and building while everything is unparked again and again."""
    log, moods, subjects = Log(), Moods(), [new_id() for _ in range(3)]
    told = {house: [f"{house} {number:03}" for number in range(60)] for house in subjects}

    async def consume() -> None:
        taking = batches(worker_database, moods.step)
        for start in range(0, 60, 2):
            await taking.apply([log.built(told[house][number], house) for number in (start, start + 1) for house in subjects])

    consuming = asyncio.create_task(consume())
    while not consuming.done():
        moods.lenient = not moods.lenient
        await unpark_all(worker_database, moods.step)
    await consuming
    moods.lenient = True
    await unpark_all(worker_database, moods.step)

    built = await in_order(worker_database)
    assert {house: [name for name in built if name.startswith(str(house))] for house in subjects} == told
    assert await parked_ids(worker_database) == []
