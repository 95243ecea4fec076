"""A relay says how much waits and for how long, and is not ready when it gets nowhere."""

import asyncio

import pytest
from house import houses
from house.relaying import a_partner, drained, leads, relaying
from sqlalchemy import text

from chassis.clock import SystemClock
from chassis.database import ApiDatabase, DatabaseSettings, WorkerDatabase
from chassis.database.outbox import Lane, lag
from chassis.relay import measuring
from chassis.relay.measuring import BACKLOG, LEADING, OLDEST, PUBLISHED, Pulse
from chassis_testing.topics import Topics
from chassis_testing.waiting import eventually

AGE = "update outbox set created_at = clock_timestamp() - make_interval(secs => $1)"


async def test_the_oldest_row_the_backlog_and_what_was_published_are_measured(
    api_database: ApiDatabase, worker_database: WorkerDatabase, topics: Topics
) -> None:
    """A house is a fact and a state, and an entry of the audit."""
    await topics.create("house.built", "house.changed")
    partner = a_partner()
    async with api_database.change(partner, lane=Lane.BULK) as tx:
        await houses.build(tx, "One")
        await houses.build(tx, "Two")
    async with api_database.change(partner) as tx:
        await houses.build(tx, "Three")

    async with worker_database.direct() as connection:
        await connection.execute(AGE, 20)
        pulse = Pulse(worker_database)
        pulse.leading = True
        await pulse.look()
        assert [BACKLOG.labels(lane)._value.get() for lane in ("urgent", "usual", "bulk")] == [0, 3, 6]
        assert 20 <= OLDEST._value.get() < 25
        assert LEADING._value.get() == 1
    async with worker_database.work() as work:
        assert 20 <= await lag(work.session) < 25

    published = PUBLISHED._value.get()
    async with relaying(worker_database, topics):
        await drained(worker_database)
        await eventually(lambda: _is(OLDEST._value.get() == 0))
        assert PUBLISHED._value.get() - published == 9
    assert LEADING._value.get() == 0
    async with worker_database.work() as work:
        assert await lag(work.session) == 0


async def _is(condition: bool) -> bool:  # noqa: FBT001
    return condition


@pytest.mark.parametrize(("seconds", "lane", "answer"), [(20, Lane.USUAL, "ready"), (31, Lane.USUAL, "stuck"), (31, Lane.BULK, "ready")])
async def test_a_leader_is_stuck_when_a_row_that_somebody_awaits_is_older_than_thirty_seconds(
    api_database: ApiDatabase, worker_database: WorkerDatabase, seconds: int, lane: Lane, answer: str
) -> None:
    async with api_database.change(a_partner(), lane=lane) as tx:
        await houses.build(tx, "Villa")
    pulse = Pulse(worker_database)
    async with worker_database.direct() as connection:
        await connection.execute(AGE, seconds)
    pulse.leading = True
    await pulse.look()

    assert pulse.stuck is (answer == "stuck")
    pulse.leading = False
    assert not pulse.stuck


async def test_a_leader_whose_loop_hangs_is_stuck(worker_database: WorkerDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "_STUCK_AFTER", 0.05)
    pulse = Pulse(worker_database)
    pulse.leading = True
    assert not pulse.stuck
    await asyncio.sleep(0.1)
    assert pulse.stuck


async def test_a_relay_whose_figures_cannot_be_looked_at_publishes_all_the_same(
    api_database: ApiDatabase, worker_database: WorkerDatabase, fresh_database: DatabaseSettings, topics: Topics
) -> None:
    """Counting a long backlog takes longer than anybody waits: nobody could lead any more, when it matters most."""
    await topics.create("house.built", "house.changed")
    database = WorkerDatabase(fresh_database, SystemClock(), connections=1)
    async with database.work() as holding:
        await holding.session.execute(text("select 1"))
        async with api_database.change(a_partner()) as tx:
            await houses.build(tx, "Villa")
        async with relaying(database, topics) as relay:
            await drained(worker_database)
            assert relay.failures == 0
    await database.close()


async def test_a_relay_that_works_is_not_stuck(worker_database: WorkerDatabase, topics: Topics) -> None:
    async with relaying(worker_database, topics) as relay:
        await leads(relay)
        assert (relay.stuck, relay.failures) == (False, 0)
