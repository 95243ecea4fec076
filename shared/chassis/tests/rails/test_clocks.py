"""A sandbox partner lives by a clock of its own, everybody else by the real one (BEY-11).

Its work is due by that clock, oldest first and one piece at a time, what it tells says so, and
finding what is due costs an index and no more.
"""

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

from house import houses
from sqlalchemy import text

from chassis import due
from chassis.backlogs import _DUE
from chassis.database import ApiDatabase, Transaction, WorkerDatabase
from chassis.due import Due, DueItem, DueWorker, Retry
from chassis.due.working import CLAIM
from chassis.ids import new_id
from chassis.principal import Principal
from chassis_testing.clock import FixedClock

DAY = timedelta(days=1)


async def a_sandbox(database: WorkerDatabase, *, ahead: timedelta = timedelta(), standing_at: Any = None) -> UUID:
    partner_id = new_id()
    async with database.direct() as connection:
        await connection.execute("insert into clocks (partner_id, ahead, standing_at) values ($1, $2, $3)", partner_id, ahead, standing_at)
    return partner_id


async def plan(database: WorkerDatabase, partner_id: UUID, **planned: Any) -> None:
    async with database.work() as work, work.item(partner_id) as tx:
        for name, at in planned.items():
            await due.plan(tx, "house.build", new_id(), slot="once", at=at, payload={"name": name})


async def build_it(tx: Transaction, item: DueItem) -> None:
    assert tx.now == item.due_at
    await houses.build(tx, item.payload["name"])


async def built(database: WorkerDatabase) -> list[str]:
    async with database.direct() as connection:
        return [row["name"] for row in await connection.fetch("select name from houses order by id")]


async def work_off(database: WorkerDatabase, clock: FixedClock) -> None:
    worker = DueWorker([Due("house.build", build_it)], database, clock)
    while await worker.work_one():
        pass


def a_user(partner_id: UUID) -> Principal:
    return Principal(kind="partner", user_id=new_id(), partner_id=partner_id, gen=1)


async def test_a_request_of_a_sandbox_has_its_time_and_every_other_the_real_one(
    api_database: ApiDatabase, worker_database: WorkerDatabase, clock: FixedClock
) -> None:
    ahead = await a_sandbox(worker_database, ahead=30 * DAY)
    standing = await a_sandbox(worker_database, ahead=30 * DAY, standing_at=clock.now() + 99 * DAY)

    async with api_database.change(a_user(ahead)) as tx:
        assert (tx.now, tx.real_now, tx.sandbox) == (clock.now() + 30 * DAY, clock.now(), True)
    async with api_database.change(a_user(standing)) as tx:
        assert (tx.now, tx.sandbox) == (clock.now() + 99 * DAY, True)
    async with api_database.change(a_user(new_id())) as tx:
        assert (tx.now, tx.sandbox) == (clock.now(), False)


async def test_what_a_sandbox_tells_says_so_at_its_own_time_and_is_counted(
    api_database: ApiDatabase, worker_database: WorkerDatabase, clock: FixedClock
) -> None:
    """Real time stays real: the envelope's own, and that of whatever is told in somebody else's name."""
    partner_id = await a_sandbox(worker_database, ahead=30 * DAY)
    async with api_database.change(a_user(partner_id)) as tx:
        await houses.build(tx, "Play")
        (fact, _) = [one.envelope for one in tx.told]
    async with api_database.change(a_user(new_id())) as tx:
        await houses.build(tx, "Villa")
        (real, _) = [one.envelope for one in tx.told]

    assert (fact.sandbox, fact.effective_time, fact.time) == (True, clock.now() + 30 * DAY, clock.now())
    assert (real.sandbox, real.effective_time) == (False, clock.now())
    async with worker_database.direct() as connection:
        assert [tuple(row) for row in await connection.fetch("select partner_id, told from clocks")] == [(partner_id, 2)]
        assert await connection.fetchval("select mark >= (select min(id) from outbox) from clocks")


async def test_work_is_due_by_the_partners_own_clock(worker_database: WorkerDatabase, clock: FixedClock) -> None:
    sandbox, ordinary = await a_sandbox(worker_database, ahead=30 * DAY), new_id()
    for partner_id, name in ((sandbox, "Play"), (ordinary, "Villa")):
        await plan(worker_database, partner_id, **{name: clock.now() + 20 * DAY, f"late {name}": clock.now() + 40 * DAY})

    await work_off(worker_database, clock)
    assert await built(worker_database) == ["Play"]
    clock.move(20 * DAY)
    await work_off(worker_database, clock)

    assert await built(worker_database) == ["Play", "Villa", "late Play"]


async def test_a_standing_clock_lets_nothing_pass_however_real_time_goes_on(worker_database: WorkerDatabase, clock: FixedClock) -> None:
    partner_id = await a_sandbox(worker_database, standing_at=clock.now() + DAY)
    await plan(worker_database, partner_id, now=clock.now() + DAY, next=clock.now() + DAY + timedelta(seconds=1))

    clock.move(10 * DAY)
    await work_off(worker_database, clock)

    assert await built(worker_database) == ["now"]


async def test_eight_hands_do_a_sandboxs_work_in_order(worker_database: WorkerDatabase, clock: FixedClock) -> None:
    """While one piece is in hand, no later one is taken, so none can be done before it."""
    partner_id = await a_sandbox(worker_database, ahead=99 * DAY)
    names = [f"house {number:02}" for number in range(20)]
    await plan(worker_database, partner_id, **{name: clock.now() + number * DAY for number, name in reversed([*enumerate(names)])})

    async def hand() -> None:
        worker = DueWorker([Due("house.build", build_it)], worker_database, clock)
        while (await built(worker_database)) != names:
            await worker.work_one()

    await asyncio.wait_for(asyncio.gather(*(hand() for _ in range(8))), timeout=60)

    async with worker_database.direct() as connection:
        told = await connection.fetch("select headers::text as said from outbox where topic = 'house.built' order by id")
    times = [dict(json.loads(row["said"]))["ce_effectivetime"] for row in told]
    assert times == sorted(times)
    assert len(times) == len(names)


async def test_what_the_world_was_in_the_way_of_keeps_its_place(worker_database: WorkerDatabase, clock: FixedClock) -> None:
    """June's closing that met a deadlock runs before July's report all the same."""
    partner_id = await a_sandbox(worker_database, ahead=99 * DAY)
    await plan(worker_database, partner_id, june=clock.now() + DAY, july=clock.now() + 31 * DAY)
    in_the_way = iter([OSError("deadlock"), OSError("lock timeout")])

    async def build_if_it_can(tx: Transaction, item: DueItem) -> None:
        if failure := next(in_the_way, None):
            raise failure
        await build_it(tx, item)

    worker = DueWorker([Due("house.build", build_if_it_can)], worker_database, clock)
    while await worker.work_one():
        pass

    assert await built(worker_database) == ["june", "july"]


async def test_a_second_try_waits_in_real_time(worker_database: WorkerDatabase, clock: FixedClock) -> None:
    async def fail(_tx: Transaction, _item: DueItem) -> None:
        raise Retry("the mail server sleeps", after=timedelta(minutes=1))

    partner_id = await a_sandbox(worker_database, ahead=30 * DAY)
    await plan(worker_database, partner_id, Play=clock.now() + 20 * DAY)
    assert await DueWorker([Due("house.build", fail)], worker_database, clock).work_one()

    await work_off(worker_database, clock)
    assert await built(worker_database) == []
    clock.move(timedelta(minutes=1))
    await work_off(worker_database, clock)
    assert await built(worker_database) == ["Play"]


async def test_what_is_real_goes_before_play(worker_database: WorkerDatabase, clock: FixedClock) -> None:
    await plan(worker_database, await a_sandbox(worker_database, ahead=30 * DAY), Play=clock.now() - DAY)
    await plan(worker_database, new_id(), Villa=clock.now())

    await work_off(worker_database, clock)

    assert await built(worker_database) == ["Villa", "Play"]


async def test_a_claim_reads_a_few_rows_among_a_hundred_thousand(worker_database: WorkerDatabase, clock: FixedClock) -> None:
    """Half of them are play of 200 sandboxes. Nothing is due, then half of all: neither reads the table, nor does counting what is due."""
    async with worker_database.direct() as connection:
        await connection.execute("insert into clocks (partner_id) select gen_random_uuid() from generate_series(1, 200)")
        await connection.execute(
            "insert into due (partner_id, id, kind, subject, slot, due_at, retry_at, sandbox)"
            " select gen_random_uuid(), gen_random_uuid(), 'house.build', gen_random_uuid(), 's', $1::timestamptz, $1::timestamptz, false"
            " from generate_series(1, 50000)"
            " union all"
            " select c.partner_id, gen_random_uuid(), 'house.build', gen_random_uuid(), 's', $1::timestamptz, $2::timestamptz, true"
            " from clocks c, generate_series(1, 250)",
            clock.now() + DAY,
            clock.now() - DAY,
        )
        await connection.execute("analyze due")
        await connection.execute("analyze clocks")

    async def plan_of() -> str:
        async with worker_database.work() as work:
            explained = text(f"explain (analyze, costs off, timing off, buffers) {CLAIM}")
            rows = await work.session.execute(explained, {"now": clock.now(), "kinds": ["house.build"]})
            return "\n".join(row[0] for row in rows)

    async with worker_database.work() as work:
        rows = await work.session.execute(text(f"explain {_DUE}"), {"now": clock.now()})
        assert "Seq Scan on due" not in "\n".join(row[0] for row in rows)
    for _ in range(2):
        said = await plan_of()
        assert "Seq Scan on due" not in said, said
        assert "due_usual" in said, said
        assert "due_sandbox" in said, said
        assert "Rows Removed by Filter" not in said, said
        async with worker_database.direct() as connection:
            await connection.execute(
                "update clocks set ahead = interval '2 days' where partner_id = (select min(partner_id::text)::uuid from clocks)"
            )
