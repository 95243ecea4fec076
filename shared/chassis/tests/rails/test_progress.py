"""How far a read model has come in time is never overstated: the slowest partition counts, and an instant never goes back."""

from datetime import UTC, datetime, timedelta

from chassis.consumers import progress
from chassis.database import ApiDatabase, WorkerDatabase
from chassis.ids import new_id
from chassis.principal import Principal

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
ANYBODY = Principal(kind="partner", user_id=new_id(), partner_id=new_id(), gen=1)


async def as_of(api: ApiDatabase, consumer: str = "houses") -> datetime | None:
    async with api.read(ANYBODY) as read:
        return await progress.as_of(read.connection, consumer)


async def test_the_slowest_partition_counts_and_most_of_all_an_unread_one(
    api_database: ApiDatabase, worker_database: WorkerDatabase
) -> None:
    async with worker_database.work() as work:
        await progress.begin(work.session, "houses", ["house.changed"], [("house.changed", 0), ("house.changed", 1)])
        await progress.reach(work.session, "houses", {("house.changed", 0): NOON})
    assert await as_of(api_database) is None

    async with worker_database.work() as work:
        await progress.reach(work.session, "houses", {("house.changed", 1): NOON - timedelta(minutes=1)})
    assert await as_of(api_database) == NOON - timedelta(minutes=1)


async def test_an_instant_never_goes_back(api_database: ApiDatabase, worker_database: WorkerDatabase) -> None:
    for instant in (NOON, NOON - timedelta(hours=1)):
        async with worker_database.work() as work:
            await progress.begin(work.session, "houses", ["house.changed"], [("house.changed", 0)])
            await progress.reach(work.session, "houses", {("house.changed", 0): instant})

    assert await as_of(api_database) == NOON


async def test_a_topic_that_is_followed_no_more_holds_nothing_back(api_database: ApiDatabase, worker_database: WorkerDatabase) -> None:
    async with worker_database.work() as work:
        await progress.reach(work.session, "houses", {("garden.changed", 0): NOON - timedelta(days=1)})
        await progress.reach(work.session, "gardens", {("garden.changed", 0): NOON - timedelta(days=1)})

    async with worker_database.work() as work:
        await progress.begin(work.session, "houses", ["house.changed"], [("house.changed", 0)])
        await progress.reach(work.session, "houses", {("house.changed", 0): NOON})

    assert await as_of(api_database) == NOON
    assert await as_of(api_database, "gardens") == NOON - timedelta(days=1)
