"""Planned work is done once, when its time has come, with everything it tells; what fails is tried again."""

import asyncio
from datetime import timedelta

from house import houses
from pydantic import TypeAdapter
from sqlalchemy import text

from chassis import due
from chassis.database import DatabaseSettings, Transaction, WorkerDatabase
from chassis.due import Due, DueItem, DueWorker, Retry
from chassis.ids import new_id
from chassis_testing.clock import FixedClock
from chassis_testing.waiting import eventually


async def build_it(tx: Transaction, item: DueItem) -> None:
    assert tx.now == item.due_at
    await houses.build(tx, item.payload["name"])


async def plan_some(database: WorkerDatabase, clock: FixedClock, *names: str, kind: str = "house.build") -> None:
    async with database.work() as work, work.item(new_id()) as tx:
        for name in names:
            await due.plan(tx, kind, new_id(), slot="once", at=clock.now() + timedelta(days=1), payload={"name": name})


async def built(database: WorkerDatabase) -> list[str]:
    async with database.direct() as connection:
        return sorted(row["name"] for row in await connection.fetch("select name from houses"))


async def test_nothing_happens_before_its_time_and_everything_after(worker_database: WorkerDatabase, clock: FixedClock) -> None:
    await plan_some(worker_database, clock, "Villa")
    worker = DueWorker([Due("house.build", build_it)], worker_database, clock)

    assert not await worker.work_one()
    clock.move(timedelta(days=2))
    assert await worker.work_one()
    assert not await worker.work_one()
    assert await built(worker_database) == ["Villa"]


async def test_eight_workers_do_each_piece_once(worker_database: WorkerDatabase, clock: FixedClock) -> None:
    names = [f"house {number}" for number in range(20)]
    await plan_some(worker_database, clock, *names)
    clock.move(timedelta(days=1))

    async def work() -> None:
        worker = DueWorker([Due("house.build", build_it)], worker_database, clock)
        while await worker.work_one():
            pass

    await asyncio.gather(*(work() for _ in range(8)))

    assert await built(worker_database) == sorted(names)


async def test_what_fails_is_undone_kept_with_its_reason_and_tried_again(worker_database: WorkerDatabase, clock: FixedClock) -> None:
    async def fail(tx: Transaction, item: DueItem) -> None:
        await build_it(tx, item)
        raise Retry("the mail server sleeps", after=timedelta(hours=1))

    await plan_some(worker_database, clock, "Villa")
    clock.move(timedelta(days=1))
    assert await DueWorker([Due("house.build", fail)], worker_database, clock).work_one()

    assert await built(worker_database) == []
    assert await failure(worker_database) == (1, "the mail server sleeps")
    assert not await DueWorker([Due("house.build", build_it)], worker_database, clock).work_one()


async def test_a_reason_that_cannot_be_kept_as_text_counts_as_any_other(worker_database: WorkerDatabase, clock: FixedClock) -> None:
    """A mail server that answers in Latin-1: without its row moving on, the same piece would be tried for ever, before all others."""

    async def fail(_tx: Transaction, _item: DueItem) -> None:
        raise Retry("452 Bo\udceete pleine\x00")

    await plan_some(worker_database, clock, "Villa")
    clock.move(timedelta(days=1))
    assert await DueWorker([Due("house.build", fail)], worker_database, clock).work_one()

    assert await failure(worker_database) == (1, "452 Bo?te pleine\\0")


async def test_the_reason_that_is_kept_names_nobody(worker_database: WorkerDatabase, clock: FixedClock) -> None:
    async def fail(_tx: Transaction, _item: DueItem) -> None:
        TypeAdapter(dict[str, int]).validate_python({"age": "ada@example.com"})

    await plan_some(worker_database, clock, "Villa")
    clock.move(timedelta(days=1))
    assert await DueWorker([Due("house.build", fail)], worker_database, clock).work_one()

    assert await failure(worker_database) == (1, "age: int_parsing")


async def failure(database: WorkerDatabase) -> tuple[int, str]:
    async with database.direct() as connection:
        row = await connection.fetchrow("select attempts, last_error from due")
    assert row is not None
    return tuple(row)


async def test_a_hand_that_finds_no_connection_waits_for_one(fresh_database: DatabaseSettings, clock: FixedClock) -> None:
    database = WorkerDatabase(fresh_database, clock, connections=1)
    database._engine.pool._timeout = 0.1  # type: ignore[attr-defined]  # as QueuePool has it
    await plan_some(database, clock, "Villa")
    clock.move(timedelta(days=1))
    worker = DueWorker([Due("house.build", build_it)], database, clock)
    async with database.work() as holding:
        await holding.session.execute(text("select 1"))
        working = asyncio.create_task(worker.run())
        await eventually(lambda: _is(worker.failures > 2))
    await eventually(lambda: built(database))
    worker.stop()
    await working
    await database.close()


async def _is(condition: bool) -> bool:  # noqa: FBT001
    return condition


async def test_planning_a_slot_again_moves_it_and_withdrawing_takes_it_back(worker_database: WorkerDatabase, clock: FixedClock) -> None:
    subject, partner = new_id(), new_id()
    async with worker_database.work() as work, work.item(partner) as tx:
        for days in (1, 5):
            await due.plan(tx, "house.build", subject, slot="once", at=clock.now() + timedelta(days=days), payload={"name": "Villa"})
    worker = DueWorker([Due("house.build", build_it)], worker_database, clock)
    clock.move(timedelta(days=2))
    assert not await worker.work_one()

    async with worker_database.work() as work, work.item(partner) as tx:
        await due.withdraw(tx, "house.build", subject)
    clock.move(timedelta(days=10))
    assert not await worker.work_one()


async def test_an_item_that_waits_holds_no_other_back(worker_database: WorkerDatabase, clock: FixedClock) -> None:
    done = asyncio.Event()

    async def wait_for_the_other(tx: Transaction, item: DueItem) -> None:
        await asyncio.wait_for(done.wait(), timeout=10)
        await build_it(tx, item)

    async def be_the_other(tx: Transaction, item: DueItem) -> None:
        await build_it(tx, item)
        done.set()

    await plan_some(worker_database, clock, "waits", kind="house.wait")
    await plan_some(worker_database, clock, "goes on", kind="house.go")
    clock.move(timedelta(days=1))
    worker = DueWorker([Due("house.wait", wait_for_the_other), Due("house.go", be_the_other)], worker_database, clock, hands=2)
    running = asyncio.create_task(worker.run())

    async def both() -> bool:
        return await built(worker_database) == ["goes on", "waits"]

    await eventually(both)
    worker.stop()
    await running


async def test_work_that_times_out_inside_is_tried_again_like_any_other(worker_database: WorkerDatabase, clock: FixedClock) -> None:
    async def time_out(tx: Transaction, item: DueItem) -> None:
        await build_it(tx, item)
        async with asyncio.timeout(0.01):
            await asyncio.Event().wait()

    await plan_some(worker_database, clock, "Villa")
    clock.move(timedelta(days=1))
    worker = DueWorker([Due("house.build", time_out)], worker_database, clock)

    assert await worker.work_one()
    assert not await worker.work_one()
    async with worker_database.direct() as connection:
        assert await connection.fetchval("select attempts from due") == 1


async def test_work_in_hand_and_its_withdrawal_do_not_wait_for_each_other(worker_database: WorkerDatabase, clock: FixedClock) -> None:
    """The worker holds its row and waits for the subject; who holds the subject withdraws the row: a circle, were it waited for."""
    subject, partner = new_id(), new_id()
    async with worker_database.work() as work, work.item(partner) as tx:
        await due.plan(tx, "house.build", subject, slot="once", at=clock.now(), payload={"name": "Villa"})

    holding, withdrawn = asyncio.Event(), asyncio.Event()

    async def wait_for_the_subject(tx: Transaction, item: DueItem) -> None:
        holding.set()
        await asyncio.wait_for(withdrawn.wait(), timeout=10)
        await build_it(tx, item)

    working = asyncio.create_task(DueWorker([Due("house.build", wait_for_the_subject)], worker_database, clock).work_one())
    await holding.wait()
    async with asyncio.timeout(5), worker_database.work() as work, work.item(partner) as tx:
        await due.withdraw(tx, "house.build", subject)
    withdrawn.set()

    assert await working
    assert await built(worker_database) == ["Villa"]
