"""How far a read model has come in time is never overstated: the slowest partition counts, and an instant never goes back."""

from datetime import UTC, datetime, timedelta

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from chassis.consumers import progress
from chassis.consumers.housework import drained
from chassis.database import ApiDatabase, WorkerDatabase
from chassis.ids import new_id
from chassis.principal import Principal
from chassis_testing.topics import Topics

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


async def test_a_partition_is_as_of_now_only_when_nothing_in_it_is_left_to_read(topics: Topics) -> None:
    await topics.create("house.changed", partitions=1)
    place = TopicPartition(f"{topics.prefix}house.changed", 0)
    async with AIOKafkaProducer(bootstrap_servers=topics.kafka) as producer:
        for number in range(2):
            await producer.send_and_wait(place.topic, str(number).encode(), partition=0)
    before = datetime.now(UTC) - timedelta(milliseconds=1)

    async with AIOKafkaConsumer(bootstrap_servers=topics.kafka, enable_auto_commit=False) as kafka:
        kafka.assign([place])
        kafka.seek(place, 0)
        assert await drained(kafka, place) is None

        assert await kafka.getmany(timeout_ms=10_000, max_records=1)
        assert await drained(kafka, place) is None

        assert await kafka.getmany(timeout_ms=10_000, max_records=1)
        as_of = await drained(kafka, place)
        assert as_of is not None
        assert as_of >= before
