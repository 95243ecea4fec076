"""Whatever comes is parked with its bytes, or takes effect: never a stuck partition, never a row written by a broken record."""

import random
from dataclasses import dataclass
from uuid import UUID

import pytest
from house.consuming import FOLLOWING, Log, an_envelope, building, in_order, reasons
from house.mutations import BROKEN, FOREIGN, ODD, Fate, Mutation, Sent, any_mutation, seeded
from house.records import HouseChanged, HouseState

from chassis.consumers import Consumer
from chassis.consumers.batches import Batches
from chassis.consumers.brake import Brake, Limits
from chassis.consumers.parking import Raw
from chassis.database import WorkerDatabase
from chassis.ids import new_id
from contracts.envelope import encode

NEVER = Limits(parked=10**9, share=1.0)


@dataclass(frozen=True, slots=True)
class Case:
    raw: Raw
    house: UUID
    fate: Fate


def a_case(log: Log, mutation: Mutation | None, fate: Fate, chance: random.Random) -> Case:
    house, partner = new_id(), new_id()
    record = HouseChanged(facts=[], state=HouseState(id=house, partner_id=partner, name="house"))
    envelope = an_envelope("house.changed", house, 1, partner)
    sent = Sent(key=str(house).encode(), headers=tuple(encode(envelope)), payload=record.payload())
    if mutation is not None:
        sent = mutation(sent, chance)
    return Case(log.raw(sent.payload, envelope, headers=sent.headers, key=sent.key), house, fate)


def batches(database: WorkerDatabase) -> Batches:
    return Batches(database, Consumer(group="houses", handlers=[FOLLOWING, building]), prefix="", brake=Brake(NEVER))


async def check(database: WorkerDatabase, cases: list[Case]) -> None:
    """Each case has met its fate, and everything was read."""
    async with database.direct() as connection:
        rows = {row["id"] for row in await connection.fetch("select id from houses")}
        parked = {row["offset"]: row["payload"] for row in await connection.fetch('select "offset", payload from parked')}
        fence = await connection.fetchval("select next_offset from fences where topic = 'house.changed'")
    assert fence == len(cases)
    for case in cases:
        offset = case.raw.place.offset
        applied, kept = case.house in rows, offset in parked
        said = (case.raw.headers, (case.raw.payload or b"")[:300])
        assert (applied, kept) in _ENDS[case.fate], said
        assert not kept or parked[offset] == case.raw.payload, said
    assert rows <= {case.house for case in cases}


_ENDS: dict[Fate, set[tuple[bool, bool]]] = {
    "applied": {(True, False)},
    "parked": {(False, True)},
    "skipped": {(False, False)},
    "either": {(True, False), (False, True)},
}


async def test_every_known_way_to_break_a_record_parks_it_and_strange_ones_take_effect(worker_database: WorkerDatabase) -> None:
    log, chance = Log("house.changed"), seeded(1)
    cases = [a_case(log, mutation, "parked", chance) for mutation in BROKEN]
    cases += [a_case(log, mutation, "applied", chance) for mutation in (*ODD, None)]
    cases += [a_case(log, mutation, "skipped", chance) for mutation in FOREIGN]

    await batches(worker_database).apply([case.raw for case in cases])

    await check(worker_database, cases)


async def test_a_thousand_mutated_records_among_good_ones_are_parked_or_applied(worker_database: WorkerDatabase) -> None:
    log, chance = Log("house.changed"), seeded(0)
    cases = []
    for _ in range(1000):
        cases.append(a_case(log, *any_mutation(chance), chance))
        if chance.random() < 0.2:
            cases.append(a_case(log, None, "applied", chance))
    applying = batches(worker_database)

    for start in range(0, len(cases), 500):
        await applying.apply([case.raw for case in cases[start : start + 500]])

    await check(worker_database, cases)


async def test_an_id_told_again_with_another_body_changes_nothing(worker_database: WorkerDatabase) -> None:
    log, told = Log(), an_envelope("house.built", new_id(), 1)
    await batches(worker_database).apply([log.built("first", envelope=told), log.built("second", envelope=told)])
    await batches(worker_database).apply([log.built("third", envelope=told)])

    assert await in_order(worker_database) == ["first"]
    assert await reasons(worker_database) == []


async def test_one_id_of_two_sources_is_two_events(worker_database: WorkerDatabase) -> None:
    log, told = Log(), an_envelope("house.built", new_id(), 1)
    elsewhere = [(name, b"/elsewhere" if name == "ce_source" else value) for name, value in encode(told)]
    await batches(worker_database).apply([log.built("ours", envelope=told), log.raw(b'{"name":"theirs"}', told, headers=elsewhere)])

    assert await in_order(worker_database) == ["ours", "theirs"]


@pytest.mark.parametrize("timestamp_ms", [-1, -(2**62), 2**62])
async def test_a_time_of_a_record_that_is_none_holds_nothing_up(worker_database: WorkerDatabase, timestamp_ms: int) -> None:
    house, partner = new_id(), new_id()
    log = Log("house.changed")
    record = HouseChanged(facts=[], state=HouseState(id=house, partner_id=partner, name="house"))
    await batches(worker_database).apply(
        [log.raw(record.payload(), an_envelope("house.changed", house, 1, partner), timestamp_ms=timestamp_ms)]
    )

    async with worker_database.direct() as connection:
        assert await connection.fetchval("select as_of <= now() from progress")
        assert await connection.fetchval("select count(*) from houses") == 1


async def test_an_empty_body_is_parked_and_a_tombstone_ends_its_entity(worker_database: WorkerDatabase) -> None:
    log, house, partner = Log("house.changed"), new_id(), new_id()
    told = an_envelope("house.changed", house, 2, partner)
    await batches(worker_database).apply([log.changed(house, partner, "house", 1), log.raw(b"", told)])
    async with worker_database.direct() as connection:
        assert await connection.fetchval("select count(*) from houses") == 1

    await batches(worker_database).apply([log.raw(None, told, headers=()), log.raw(None, told, key=b"nobody")])

    async with worker_database.direct() as connection:
        assert await connection.fetchval("select count(*) from houses") == 0
    assert await reasons(worker_database) == ["cannot be read: : json_invalid", "a tombstone without an entity's id as its key"]
