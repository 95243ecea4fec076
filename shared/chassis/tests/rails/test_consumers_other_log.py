"""A topic made anew, records expired, a backup restored: the log or the database is another than it was, and nothing is passed over."""

from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.util import calc_crc32c
from house.consuming import FOLLOWING, Log, Teller, an_envelope, building, consuming, has, in_order, names
from structlog.testing import capture_logs

from chassis.consumers import Consumer
from chassis.consumers.batches import Batches, FencesBehind
from chassis.database import WorkerDatabase
from chassis.ids import new_id
from chassis_testing.topics import Topics
from chassis_testing.waiting import eventually


@pytest.fixture
async def teller(topics: Topics) -> AsyncIterator[Teller]:
    await topics.create("house.built", "house.changed", partitions=1)
    async with AIOKafkaProducer(bootstrap_servers=topics.kafka) as producer:
        yield Teller(producer, topics.prefix, partitions=1)


@pytest.fixture
async def admin(topics: Topics) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=topics.kafka)
    await client.start()
    yield client
    await client.close()


async def make_anew(admin: AIOKafkaAdminClient, topics: Topics, name: str) -> None:
    await admin.delete_topics([topics.prefix + name])

    async def gone() -> bool:
        return topics.prefix + name not in await admin.list_topics()

    await eventually(gone)

    async def there() -> bool:
        await topics.create(name, partitions=1)
        return topics.prefix + name in await admin.list_topics()

    await eventually(there)


async def fence(database: WorkerDatabase, topic: str) -> int:
    async with database.direct() as connection:
        stood: int = await connection.fetchval("select next_offset from fences where topic = $1", topic)
    return stood


async def test_a_topic_that_was_made_anew_while_nobody_read_is_read_from_its_start(
    worker_database: WorkerDatabase, topics: Topics, teller: Teller, admin: AIOKafkaAdminClient
) -> None:
    """What is told again changes nothing, what is new takes effect, and the alarm is given."""
    old = await teller.tell_built("old")
    for number in range(9):
        await teller.tell_built(f"house {number}")
    async with consuming(worker_database, topics, building):
        await has(worker_database, "old", *(f"house {number}" for number in range(9)))

    await make_anew(admin, topics, "house.built")
    await teller.tell_built("old", envelope=old)
    await teller.tell_built("new")
    with capture_logs() as logs:
        async with consuming(worker_database, topics, building):
            await has(worker_database, "old", "new", *(f"house {number}" for number in range(9)))

    assert [entry["log_level"] for entry in logs if entry["event"] == "topic_recreated"] == ["error"]
    assert await fence(worker_database, f"{topics.prefix}house.built") == 2


async def test_a_topic_that_is_made_anew_under_its_reader_is_read_from_its_start(
    worker_database: WorkerDatabase, topics: Topics, teller: Teller, admin: AIOKafkaAdminClient
) -> None:
    house, partner = new_id(), new_id()
    async with consuming(worker_database, topics, FOLLOWING):
        for version in range(1, 10):
            await teller.tell_changed(house, partner, f"version {version}", version)
        await has(worker_database, "version 9")

        await make_anew(admin, topics, "house.changed")
        await teller.tell_changed(house, partner, "version 3 again", 3)
        await teller.tell_changed(other := new_id(), partner, "other", 1)
        await has(worker_database, "version 9", "other", within=40)
        await teller.tell(an_envelope("house.changed", other, 2, partner), None)
        await has(worker_database, "version 9")


def headers_named_in_no_utf8(producer: AIOKafkaProducer, payload: bytes) -> BatchBuilder:
    """A batch of one record, as some other client may write it."""
    builder = producer.create_batch()
    builder.append(timestamp=None, key=b"key", value=payload, headers=[("NAME", b"value")])
    builder.close()
    written = bytearray(builder._build()).replace(b"NAME", b"\xff\xfe\xff\xfe")
    written[17:21] = calc_crc32c(bytes(written[21:])).to_bytes(4, "big")
    builder._buffer = written
    return builder


async def test_a_header_whose_name_is_no_text_is_parked_and_loses_nothing_around_it(
    worker_database: WorkerDatabase, topics: Topics, teller: Teller
) -> None:
    for number in range(3):
        await teller.tell_built(f"before {number}")
    async with AIOKafkaProducer(bootstrap_servers=topics.kafka) as producer:
        for payload in (b"one", b"another"):
            await (await producer.send_batch(headers_named_in_no_utf8(producer, payload), f"{topics.prefix}house.built", partition=0))
    await teller.tell_built("after")

    async with consuming(worker_database, topics, building):
        await has(worker_database, "before 0", "before 1", "before 2", "after")

    async with worker_database.direct() as connection:
        parked = await connection.fetch('select "offset", headers from parked order by "offset"')
    assert [row["offset"] for row in parked] == [3, 4]
    assert all("unreadable" in row["headers"] for row in parked)


async def test_records_that_expired_unread_are_mourned_and_the_rest_is_read(
    worker_database: WorkerDatabase, topics: Topics, teller: Teller, admin: AIOKafkaAdminClient
) -> None:
    await teller.tell_built("first")
    async with consuming(worker_database, topics, building):
        await has(worker_database, "first")
    for name in ("lost", "lost too", "last"):
        await teller.tell_built(name)
    await admin.delete_records({TopicPartition(f"{topics.prefix}house.built", 0): RecordsToDelete(before_offset=3)})

    with capture_logs() as logs:
        async with consuming(worker_database, topics, building):
            await has(worker_database, "first", "last")

    assert [(entry["missed"], entry["log_level"]) for entry in logs if entry["event"] == "records_expired_unread"] == [(2, "error")]


async def test_a_database_restored_under_its_reader_is_read_into_from_where_it_stands(
    worker_database: WorkerDatabase, topics: Topics, teller: Teller
) -> None:
    """A backup is of one moment: fences, inbox and effects agree, so what came after is simply read again."""
    async with consuming(worker_database, topics, building):
        await teller.tell_built("before")
        await has(worker_database, "before")
        for name in ("1", "2", "3"):
            await teller.tell_built(name)
        await has(worker_database, "before", "1", "2", "3")
        async with worker_database.direct() as connection, connection.transaction():
            await connection.execute("update fences set next_offset = 1")
            await connection.execute("delete from inbox where received_at > (select min(received_at) from inbox)")
            await connection.execute("delete from houses where name <> 'before'")

        await teller.tell_built("4")
        await has(worker_database, "before", "1", "2", "3", "4")


async def test_fences_that_were_set_back_change_nothing_while_the_inbox_stands(worker_database: WorkerDatabase) -> None:
    log, changes, partner = Log(), Log("house.changed"), new_id()
    built = [log.built(f"{number}") for number in range(5)]
    changed = [changes.changed(raw_id, partner, "state", 2) for raw_id in [new_id() for _ in range(5)]]
    consumer = Consumer(group="houses", handlers=[FOLLOWING, building])
    await Batches(worker_database, consumer, prefix="").apply([*built, *changed])
    before = sorted(await names(worker_database))
    async with worker_database.direct() as connection:
        await connection.execute("delete from fences")

    await Batches(worker_database, consumer, prefix="").apply([*built, *changed])

    assert sorted(await names(worker_database)) == before


async def test_an_inbox_lost_beyond_its_35_days_leaves_effects_to_their_own_keys(worker_database: WorkerDatabase) -> None:
    """The limit, said as a test: without inbox and fence an effect without a natural key happens again; a read model never."""
    log, changes, house, partner = Log(), Log("house.changed"), new_id(), new_id()
    batch = [log.built("effect"), changes.changed(house, partner, "state", 2)]
    consumer = Consumer(group="houses", handlers=[FOLLOWING, building])
    await Batches(worker_database, consumer, prefix="").apply(batch)
    async with worker_database.direct() as connection:
        await connection.execute("delete from fences; delete from inbox")

    await Batches(worker_database, consumer, prefix="").apply(batch)

    assert await in_order(worker_database) == ["effect", "effect"]
    assert sorted(await names(worker_database)) == ["effect", "effect", "state"]


async def test_a_batch_is_refused_where_the_database_knows_less_than_its_reader_did(worker_database: WorkerDatabase) -> None:
    log = Log()
    applying = Batches(worker_database, Consumer(group="houses", handlers=[building]), prefix="")
    await applying.apply([log.built("1"), log.built("2")])
    async with worker_database.direct() as connection:
        await connection.execute("update fences set next_offset = 1")

    with pytest.raises(FencesBehind):
        await applying.apply([log.built("3")])
    assert await in_order(worker_database) == ["1", "2"]
