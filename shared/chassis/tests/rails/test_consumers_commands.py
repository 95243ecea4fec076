"""What ops teams do with parked records and stopped consumers, on the command line; and what the rails forget by themselves."""

import asyncio
from collections.abc import Callable, Sequence
from uuid import UUID

import pytest
from house.consuming import Log, building, in_order, tolerant
from sqlalchemy import text
from typer.testing import CliRunner

from chassis.consumers import Consumer, brake, cleaning, commands
from chassis.consumers.batches import Batches
from chassis.consumers.handlers import Handler
from chassis.consumers.unparking import Unparking
from chassis.database import DatabaseSettings, WorkerDatabase
from chassis.ids import new_id
from chassis_testing.clock import FixedClock

refusing = tolerant(lambda name: "bad" not in name)

type Run = Callable[..., "asyncio.Future[tuple[int, str]]"]


def consumer(handler: Handler) -> Consumer:
    return Consumer(group="houses", handlers=[handler])


@pytest.fixture
def run(fresh_database: DatabaseSettings) -> Run:
    """Runs a command of a service whose code has been mended; the answer is its exit code and what it said."""
    app = commands.parked(lambda: (WorkerDatabase(fresh_database, FixedClock()), [consumer(building)]))

    def invoke(*arguments: str) -> "asyncio.Future[tuple[int, str]]":
        def inside() -> tuple[int, str]:
            result = CliRunner().invoke(app, arguments)
            return result.exit_code, result.output

        return asyncio.ensure_future(asyncio.to_thread(inside))

    return invoke


async def park(database: WorkerDatabase, *names: str, partition: int = 0) -> Sequence[UUID]:
    """Facts of one house, of which the first bad one is parked and the others stand behind it."""
    log, house = Log(partition=partition), new_id()
    await Batches(database, consumer(refusing), prefix="").apply([log.built(name, house) for name in names])
    return [row.id for row in await Unparking(database, [consumer(refusing)]).listed()]


async def test_a_parked_record_is_listed_with_its_place_and_reason_and_unparked_with_those_behind(
    worker_database: WorkerDatabase, run: Run
) -> None:
    first, _ = await park(worker_database, "good", "bad", "after")

    _, listed = await run("list")
    assert f"{first} parked   house.built/0@1 houses.build: no_garden: A house without a garden is not taken." in listed
    assert "blocked  house.built/0@2 houses.build: stands behind an earlier one" in listed

    assert (await run("unpark", str(first)))[1].endswith("2 took effect\n")
    assert await in_order(worker_database) == ["good", "bad", "after"]
    assert await run("list") == (0, "")


async def test_a_record_is_skipped_only_with_a_reason(worker_database: WorkerDatabase, run: Run) -> None:
    first, _ = await park(worker_database, "bad", "after")

    assert (await run("skip", str(first)))[0] == 2
    assert (await run("skip", str(first), "--reason", ""))[0] == 2
    assert (await run("skip", str(first), "--reason", "never lived there", "--by", "grace"))[0] == 0

    async with worker_database.direct() as connection:
        row = await connection.fetchrow("select settled_by, settled_because from parked where settled_because is not null")
    assert row is not None
    assert tuple(row) == ("grace", "never lived there")


async def test_what_is_not_parked_is_refused_with_a_remedy(run: Run, worker_database: WorkerDatabase) -> None:
    code, said = await run("unpark", str(new_id()))
    assert code == 1
    assert "not_parked" in said


async def test_a_stopped_consumer_is_released_by_command(worker_database: WorkerDatabase, run: Run) -> None:
    async with worker_database.work() as work:
        brake_id = await brake.engage(work.session, "houses", "0", "101 records would be parked within a minute")

    assert await run("release", "houses", "--reason", "looked at", "--allow", "7") == (0, "released\n")
    assert await run("release", "houses", "--reason", "again") == (0, "houses was not stopped\n")

    async with worker_database.work() as work:
        assert await brake.released(work.session, brake_id) == 7


async def test_a_worker_that_is_started_again_releases_what_it_stopped_and_nothing_else(worker_database: WorkerDatabase) -> None:
    async with worker_database.work() as work:
        stopped = await brake.engage(work.session, "houses", "1", "101 records would be parked within a minute")

        assert not await brake.release(work.session, "houses", by="restart", because="started again", allowance=0, slot="0")
        assert await brake.released(work.session, stopped) is None
        assert await brake.release(work.session, "houses", by="restart", because="started again", allowance=0, slot="1")


async def test_after_35_days_the_inbox_and_settled_records_are_forgotten_and_nothing_else(
    worker_database: WorkerDatabase, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cleaning, "CHUNK", 2)
    first, *_ = await park(worker_database, "1", "2", "3", "4", "bad", "after")
    await run("unpark", str(first))
    await park(worker_database, "bad", partition=1)
    async with worker_database.work() as work:
        await work.session.execute(
            text("update inbox set received_at = now() - interval '34 days' where ctid in (select ctid from inbox limit 1)")
        )
        await work.session.execute(
            text("update inbox set received_at = now() - interval '36 days' where received_at > now() - interval '1 day'")
        )
        await work.session.execute(text("update parked set parked_at = parked_at - interval '99 days'"))
        await work.session.execute(text("update parked set settled_at = settled_at - interval '36 days'"))

    chunks = 0
    more = True
    while more:
        async with worker_database.work() as work:
            more = await cleaning.forget(work.session)
        chunks += 1

    async with worker_database.direct() as connection:
        assert await connection.fetchval("select count(*) from inbox") == 1
        assert [row["standing"] for row in await connection.fetch("select standing from parked")] == ["parked"]
    assert chunks == 4
