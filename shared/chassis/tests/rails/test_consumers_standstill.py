"""A consumer that cannot go on says so and stands still: it never skips, never loops in silence, and goes on by itself when it can."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from house import houses
from house.consuming import Log, Teller, as_owner, building, consuming, has, in_order, reasons, tolerant
from house.records import HouseBuilt
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.orm.exc import StaleDataError
from structlog.testing import capture_logs

from chassis.consumers import Consumer, Event, Step, brake
from chassis.consumers.batches import Batches, Defect
from chassis.consumers.brake import Brake, Braked, Limits, Window
from chassis.consumers.events import Place
from chassis.consumers.lag import Lag
from chassis.consumers.standing import STOPPED
from chassis.database import DatabaseSettings, Transaction, WorkerDatabase
from chassis.failures import Poison, Verdict, judge
from chassis_testing.topics import Topics
from chassis_testing.waiting import eventually


@pytest.fixture
async def teller(topics: Topics) -> AsyncIterator[Teller]:
    await topics.create("house.built", "house.changed", partitions=1)
    async with AIOKafkaProducer(bootstrap_servers=topics.kafka) as producer:
        yield Teller(producer, topics.prefix, partitions=1)


def failing(named: str, failure: Callable[[], BaseException]) -> Step[HouseBuilt]:
    async def handle(tx: Transaction, event: Event[HouseBuilt]) -> None:
        if event.record.name == named:
            raise failure()
        await houses.build(tx, event.record.name)

    return Step(name="houses.build", record=HouseBuilt, handle=handle)


def batches(database: WorkerDatabase, step: Step[Any], limits: Limits | None = None) -> Batches:
    return Batches(database, Consumer(group="houses", handlers=[step]), prefix="", brake=Brake(limits or Limits()))


async def test_a_defect_stops_at_its_record_and_everything_before_it_has_taken_effect(worker_database: WorkerDatabase) -> None:
    log = Log()
    names = [f"{number:02}" for number in range(20)]
    with pytest.raises(Defect) as stopped:
        await batches(worker_database, failing("13", lambda: KeyError("ours"))).apply([log.built(name) for name in names])

    assert stopped.value.place.offset == 13
    assert await in_order(worker_database) == names[:13]
    assert await reasons(worker_database) == []


async def test_a_consumer_with_a_defect_is_not_ready_says_where_and_goes_on_once_it_is_mended(
    worker_database: WorkerDatabase, topics: Topics, teller: Teller
) -> None:
    broken = iter([True, True, True])
    for name in ("before", "culprit", "after"):
        await teller.tell_built(name)

    async def handle(tx: Transaction, event: Event[HouseBuilt]) -> None:
        if event.record.name == "culprit" and next(broken, False):
            raise KeyError("ours")
        await houses.build(tx, event.record.name)

    with capture_logs() as logs:
        async with consuming(worker_database, topics, Step(name="houses.build", record=HouseBuilt, handle=handle)) as worker:

            async def stopped() -> bool:
                return worker.failures >= 3 and STOPPED.labels("houses")._value.get() == 1

            await eventually(stopped)
            await has(worker_database, "before")
            await has(worker_database, "before", "culprit", "after")
            assert worker.failures == 0
            assert STOPPED.labels("houses")._value.get() == 0

    said = [entry for entry in logs if entry["event"] == "consumer_stopped"]
    assert {(one["topic"], one["partition"], one["offset"], one["log_level"]) for one in said} == {
        (f"{topics.prefix}house.built", 0, 1, "error")
    }


async def test_more_poison_than_comes_by_chance_stops_the_consumer_before_it_is_parked(worker_database: WorkerDatabase) -> None:
    log, bad = Log(), tolerant(lambda name: name != "bad")
    applying = batches(worker_database, bad)
    await applying.apply([log.built("bad" if number < 100 else "good") for number in range(2500)])
    assert len(await reasons(worker_database)) == 100

    with pytest.raises(Braked, match="101 records"):
        await applying.apply([log.built("bad")])
    assert len(await reasons(worker_database)) == 100


async def test_five_percent_of_a_topic_are_too_many_but_a_few_are_not(worker_database: WorkerDatabase) -> None:
    log, bad = Log(), tolerant(lambda name: name != "bad")
    applying = batches(worker_database, bad)
    await applying.apply([log.built("bad") for _ in range(10)])
    with pytest.raises(Braked, match=r"11 of 11 records of house\.built"):
        await applying.apply([log.built("bad")])


async def test_the_brake_forgets_after_a_minute_and_counts_a_batch_that_is_tried_again_once(worker_database: WorkerDatabase) -> None:
    now = 0.0
    log, bad = Log(), tolerant(lambda name: name != "bad")
    taking = Brake(clock=lambda: now)
    applying = Batches(worker_database, Consumer(group="houses", handlers=[bad]), prefix="", brake=taking)
    await applying.apply([log.built("bad") for _ in range(10)])
    held = [log.built("bad")]
    for _ in range(30):
        with pytest.raises(Braked):
            await applying.apply(held)
    now = 61.0
    await applying.apply(held)
    assert len(await reasons(worker_database)) == 11


def test_what_the_brake_remembers_does_not_grow_while_all_is_well() -> None:
    """Twenty batches a second for ten minutes, none of which parks anything."""
    now = 0.0
    window = Window(lambda: now)
    for batch in range(12_000):
        now = batch / 20
        window.add(Counter({"house.built": 1}))

    assert len(window) <= 62
    assert window.total() == Counter({"house.built": 60 * 20 + 20})


def test_what_is_read_again_counts_again() -> None:
    """A topic that was made anew, or a fence set back: what it parks is measured by what was read for it."""
    now = 0.0
    brake = Brake(clock=lambda: now)
    records = [Place(topic="house.built", partition=0, offset=offset) for offset in range(5_000)]
    brake.saw(records)
    now = 100.0
    brake.begin({("house.built", 0): 0})
    brake.saw(records)

    brake.check(records[:11])


async def test_a_coordinator_that_is_away_holds_no_batch_up(
    worker_database: WorkerDatabase, topics: Topics, teller: Teller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Committed offsets only show the lag; the client would wait for its coordinator for ever."""

    async def wait(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(AIOKafkaConsumer, "commit", wait)
    async with consuming(worker_database, topics, building):
        told: list[str] = []
        for name in ("one", "two", "three"):
            await teller.tell_built(name)
            told.append(name)
            await has(worker_database, *told)


async def test_a_braked_consumer_goes_on_when_it_is_released(worker_database: WorkerDatabase, topics: Topics, teller: Teller) -> None:
    limits = Limits(parked=2, least=2)
    for number in range(6):
        await teller.tell_built("bad" if number < 5 else "good")
    async with consuming(worker_database, topics, tolerant(lambda name: name != "bad"), brake=Brake(limits)) as worker:

        async def braked() -> bool:
            async with worker_database.direct() as connection:
                return worker.failures >= 3 and await connection.fetchval("select count(*) from brakes where released_at is null") == 1

        await eventually(braked)
        assert await in_order(worker_database) == []
        async with worker_database.work() as work:
            assert await brake.release(work.session, "houses", by="ada", because="they are really bad")
        await has(worker_database, "good")
        assert worker.failures == 0
    async with worker_database.direct() as connection:
        assert await connection.fetchval("select released_by || ': ' || released_because from brakes") == "ada: they are really bad"


async def test_a_braked_consumer_that_is_started_again_with_mended_code_goes_on(
    worker_database: WorkerDatabase, topics: Topics, teller: Teller
) -> None:
    for _ in range(5):
        await teller.tell_built("house")
    async with consuming(worker_database, topics, tolerant(lambda _: False), brake=Brake(Limits(parked=2))) as worker:

        async def braked() -> bool:
            return worker.failures >= 3

        await eventually(braked)
    async with consuming(worker_database, topics, building):
        await has(worker_database, *["house"] * 5)
    async with worker_database.direct() as connection:
        assert await connection.fetchval("select count(*) from brakes where released_at is null") == 0


def _said(sqlstate: str) -> DBAPIError:
    said = asyncpg.PostgresError("said")
    said.sqlstate = sqlstate
    return DBAPIError("select", {}, said)


@pytest.mark.parametrize(
    ("failure", "verdict"),
    [
        *((_said(state), Verdict.POISON) for state in ("21000", "22003", "23505", "23514", "42501", "54000")),
        *((_said(state), Verdict.PASSING) for state in ("40001", "40P01", "08006", "25006", "53300", "53100", "57P01", "55P03", "58030")),
        *((_said(state), Verdict.DEFECT) for state in ("42P01", "42703", "XX000", "0A000", "25P02")),
        (Poison("x"), Verdict.POISON),
        (StaleDataError("x"), Verdict.PASSING),
        (ConnectionResetError(), Verdict.PASSING),
        (TimeoutError(), Verdict.PASSING),
        (asyncpg.InterfaceError("connection is closed"), Verdict.PASSING),
        (KeyError("x"), Verdict.DEFECT),
        (StatementError("x", "select", {}, AttributeError("x")), Verdict.DEFECT),
    ],
)
def test_every_failure_is_the_datas_the_worlds_or_ours(failure: BaseException, verdict: Verdict) -> None:
    assert judge(failure) is verdict


@pytest.mark.parametrize(
    ("statement", "value"),
    [
        ("select cast(:value as int)", 2**31),
        ("select cast(:value as bigint)", 2**63),
        ("select cast(:value as text)", "\ud800"),
        ("select cast(:value as text)", "\x00"),
        ("select cast(:value as uuid)", "no id"),
        ("select cast(cast(:value as text) as jsonb)", '{"a": NaN}'),
    ],
)
async def test_what_the_driver_or_the_database_refuses_of_the_data_is_poison(
    worker_database: WorkerDatabase, statement: str, value: object
) -> None:
    with pytest.raises(DBAPIError) as refused:
        async with worker_database.work() as work:
            await work.session.execute(text(statement), {"value": value})
    assert judge(refused.value) is Verdict.POISON


async def test_a_deadlock_a_killed_connection_and_a_lock_that_is_not_given_are_tried_again(worker_database: WorkerDatabase) -> None:
    async def killed() -> None:
        async with worker_database.work() as work:
            await work.session.execute(text("select pg_terminate_backend(pg_backend_pid())"))

    async def locked() -> None:
        async with worker_database.work() as holder, worker_database.work() as work:
            await holder.session.execute(text("lock table houses in access exclusive mode"))
            await work.session.execute(text("set local lock_timeout = '10ms'"))
            await work.session.execute(text("lock table houses in access exclusive mode"))

    for happens in (killed, locked):
        failure = await _failure(happens)
        assert judge(failure) is Verdict.PASSING, failure


async def _failure(happens: Callable[[], Awaitable[None]]) -> BaseException:
    with pytest.raises(Exception, match=r".") as raised:
        await happens()
    return raised.value


async def test_a_record_that_is_refused_at_the_commit_is_parked_alone(
    fresh_database: DatabaseSettings, worker_database: WorkerDatabase
) -> None:
    """A constraint that is checked at the end of the transaction fails outside every handler."""
    await as_owner(
        fresh_database,
        "create function too_late() returns trigger language plpgsql as $$"
        " begin if new.name = 'late' then raise integrity_constraint_violation; end if; return null; end $$",
        "create constraint trigger late after insert on houses deferrable initially deferred for each row execute function too_late()",
    )
    log = Log()
    told = [log.built("1"), log.built("late"), log.built("3")]

    await batches(worker_database, building).apply(told)

    assert await in_order(worker_database) == ["1", "3"]
    assert len(await reasons(worker_database)) == 1


class Moving:
    """A clock for the lag."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def test_an_idle_partition_has_no_lag_and_a_silent_broker_a_growing_one() -> None:
    clock = Moving()
    lag = Lag("houses", clock=clock)
    assert lag.seconds() == 0
    lag.follow([0, 1])
    lag.reach(0, clock.now)
    lag.reach(1, clock.now - 7200)
    assert lag.seconds() == 7200
    lag.reach(1, clock.now)
    assert lag.seconds() == 0
    clock.now += 30
    assert lag.seconds() == 30
    lag.follow([1])
    lag.reach(1, clock.now + 3600)
    assert lag.seconds() == 0


def test_old_records_told_again_do_not_make_a_consumer_late() -> None:
    clock = Moving()
    lag = Lag("houses", clock=clock)
    lag.follow([0])
    lag.reach(0, clock.now)
    lag.reach(0, clock.now - 86_400)
    assert lag.seconds() == 0


def test_health_by_lag_does_not_flap() -> None:
    clock = Moving()
    lag = Lag("houses", clock=clock)
    lag.follow([0])
    seen: Sequence[bool] = []
    for behind in (0, 59, 61, 59, 30, 11, 9, 30, 59):
        lag.reach(0, clock.now)
        clock.now += behind
        seen = [*seen, lag.keeps_up]
    assert seen == [True, True, False, False, False, False, True, True, True]


async def test_a_consumer_that_stands_still_lets_others_have_their_partitions(
    worker_database: WorkerDatabase, topics: Topics, teller: Teller
) -> None:
    """A rebalance does not wait for a batch that cannot be applied: another, with mended code, takes it over."""
    await teller.tell_built("house")
    async with consuming(worker_database, topics, failing("house", lambda: KeyError("ours"))) as broken:

        async def stopped() -> bool:
            return broken.failures >= 3

        await eventually(stopped)
        async with asyncio.timeout(30), consuming(worker_database, topics, building, slot="-1"):
            broken.stop()
            await has(worker_database, "house")
