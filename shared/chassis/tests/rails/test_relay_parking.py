"""A row that the broker will never take is parked with the later ones of its entity, and the rest goes on."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from house import houses
from house.relaying import a_partner, drained, relaying, versions
from typer.testing import CliRunner

from chassis.database import ApiDatabase, DatabaseSettings, WorkerDatabase
from chassis.database.outbox import LARGEST, TooLargeToTell
from chassis.principal import Principal
from chassis.relay import commands, parking
from chassis.relay.measuring import PARKED
from chassis_testing.clock import FixedClock
from chassis_testing.topics import Topics
from chassis_testing.waiting import eventually

LIMIT = 20_000


async def limit(topics: Topics, name: str, most: int) -> None:
    """Let a topic take records of at most so many bytes."""
    admin = AIOKafkaAdminClient(bootstrap_servers=topics.kafka)
    await admin.start()
    try:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topics.prefix + name, {"max.message.bytes": str(most)})])
    finally:
        await admin.close()


async def outbox(database: WorkerDatabase) -> list[tuple[UUID, str, str | None]]:
    async with database.direct() as connection:
        rows = await connection.fetch("select entity, topic, reason from outbox where lane = 3 order by id")
        return [(row["entity"], row["topic"], row["reason"]) for row in rows]


async def build_three(database: ApiDatabase, partner: Principal) -> Sequence[UUID]:
    """Three houses, renamed twice in turns; the middle one has a name at its second version that is too long for its topic."""
    async with database.change(partner) as tx:
        built = [(await houses.build(tx, f"House {number}")).id for number in range(3)]
    for turn in range(2):
        for number, house_id in enumerate(built):
            async with database.change(partner) as tx:
                await houses.rename(tx, house_id, _noise() if (turn, number) == (0, 1) else f"turn {turn}")
    return built


def _noise() -> str:
    return os.urandom(LIMIT).hex()


async def test_a_row_too_large_for_its_topic_is_parked_with_the_later_ones_of_its_entity(
    api_database: ApiDatabase, worker_database: WorkerDatabase, topics: Topics
) -> None:
    await topics.create("house.built", "house.changed", partitions=1)
    await limit(topics, "house.changed", LIMIT)
    partner = a_partner()
    before, large, after = await build_three(api_database, partner)

    async with relaying(worker_database, topics) as relay:
        await drained(worker_database)
        assert await versions(topics) == {str(before): [1, 2, 3], str(large): [1], str(after): [1, 2, 3]}

        async with api_database.change(partner) as tx:
            await houses.rename(tx, large, "Small again")
        await drained(worker_database)
        assert await versions(topics) == {str(before): [1, 2, 3], str(large): [1], str(after): [1, 2, 3]}
        await eventually(lambda: _is(PARKED._value.get(), 5.0))
        assert relay.failures == 0

    refused, *later = await outbox(worker_database)
    assert refused == (large, "house.changed", "the broker refused it: it is larger than its topic allows")
    assert later == [(large, topic, "follows a parked row") for topic in ("house.built", "house.changed") * 2]


async def _is(found: float, expected: float) -> bool:
    assert found == expected
    return True


async def test_parked_rows_are_sent_in_order_once_the_topic_takes_them(
    api_database: ApiDatabase, worker_database: WorkerDatabase, topics: Topics
) -> None:
    await topics.create("house.built", "house.changed", partitions=1)
    await limit(topics, "house.changed", LIMIT)
    before, large, after = await build_three(api_database, a_partner())
    async with relaying(worker_database, topics):
        await drained(worker_database)

        await limit(topics, "house.changed", 1_048_576)
        async with worker_database.work() as work:
            assert await parking.unpark(work.session, large) == 3
        await drained(worker_database)

    assert await versions(topics) == {str(house): [1, 2, 3] for house in (before, large, after)}


async def test_a_parked_row_that_is_given_up_frees_those_that_follow(
    api_database: ApiDatabase, worker_database: WorkerDatabase, topics: Topics
) -> None:
    await topics.create("house.built", "house.changed", partitions=1)
    await limit(topics, "house.changed", LIMIT)
    _, large, _ = await build_three(api_database, a_partner())
    async with relaying(worker_database, topics):
        await drained(worker_database)
        async with worker_database.direct() as connection:
            refused = await connection.fetchval("select min(id) from outbox where lane = 3")
        async with worker_database.work() as work:
            assert await parking.skip(work.session, refused, by="grace", because="too long a name") == 2
        await drained(worker_database)

    assert (await versions(topics))[str(large)] == [1, 3]


async def test_what_no_topic_would_take_is_refused_where_it_is_told(api_database: ApiDatabase, worker_database: WorkerDatabase) -> None:
    async with api_database.change(a_partner()) as tx:
        with pytest.raises(TooLargeToTell) as refused:
            await houses.build(tx, "V" * LARGEST)
        tx.session.expunge_all()

    assert _size(refused.value.facts) > LARGEST
    assert await outbox(worker_database) == []


def _size(facts: dict[str, Any]) -> int:
    return int(facts["bytes"])


async def test_the_largest_that_may_be_told_is_taken_by_the_broker(
    api_database: ApiDatabase, worker_database: WorkerDatabase, topics: Topics
) -> None:
    await topics.create("house.built", "house.changed", partitions=1)
    for name in ("house.built", "house.changed"):
        await limit(topics, name, 1_048_576)
    async with api_database.change(a_partner()) as tx:
        await houses.build(tx, "V" * (LARGEST - 2_000))
    async with relaying(worker_database, topics):
        await drained(worker_database)

    assert await topics.sizes("house.changed") == [1]


@pytest.fixture
def run(fresh_database: DatabaseSettings) -> Callable[..., Awaitable[tuple[int, str]]]:
    """Runs a command over what is unsent; the answer is its exit code and what it said."""
    app = commands.unsent(lambda: WorkerDatabase(fresh_database, FixedClock()))

    def inside(arguments: Sequence[str]) -> tuple[int, str]:
        result = CliRunner().invoke(app, arguments)
        return result.exit_code, result.output

    return lambda *arguments: asyncio.to_thread(inside, arguments)


async def test_what_is_unsent_is_listed_sent_again_and_given_up_by_commands_with_who_and_why(
    api_database: ApiDatabase, worker_database: WorkerDatabase, topics: Topics, run: Callable[..., Awaitable[tuple[int, str]]]
) -> None:
    await topics.create("house.built", "house.changed", partitions=1)
    await limit(topics, "house.changed", LIMIT)
    _, large, _ = await build_three(api_database, a_partner())
    async with relaying(worker_database, topics):
        await drained(worker_database)
        _, listed = await run("list")
        first, *following = [line for line in listed.splitlines() if str(large) in line]
        assert first.endswith("the broker refused it: it is larger than its topic allows")
        assert [line.rpartition(": ")[2] for line in following] == ["follows a parked row"] * 2
        refused = first.split()[0]

        assert (await run("retry", refused))[1].endswith("\n3 are sent again\n")
        await eventually(lambda: _parked_again(worker_database, 3))
        assert (await run("skip", refused, "--reason", " "))[0] == 2
        assert (await run("skip", "987654321", "--reason", "gone"))[0] == 1
        code, said = await run("skip", refused, "--reason", "too long a name", "--by", "grace")
        assert code == 0
        assert said.endswith("\ngiven up; 2 that followed it are sent\n")
        await drained(worker_database)

    assert await run("list") == (0, "")
    assert (await versions(topics))[str(large)] == [1, 3]
    async with worker_database.direct() as connection:
        kept = "select settled_by, settled_because, standing, subject, length(payload) > $1 as whole from parked"
        row = await connection.fetchrow(kept, LIMIT)
    assert row is not None
    assert tuple(row) == ("grace", "too long a name", "skipped", large, True)


async def _parked_again(database: WorkerDatabase, count: int) -> bool:
    assert len(await outbox(database)) == count
    return True
