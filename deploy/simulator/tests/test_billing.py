"""A downstream team's books hold each line once, whatever happens on the way to them."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer
from msgspec import structs
from pydantic import SecretStr

from chassis.ids import new_id
from chassis_testing.topics import Topics
from chassis_testing.waiting import eventually
from contracts.catalogue import BY_TOPIC
from contracts.envelope import Envelope, encode
from contracts.licensing.billing import BillingLineRated
from contracts.licensing.subscriptions import TrialConverted, TrialStarted
from contracts.partitions import partition_for
from contracts.records import Fact
from contracts.topics import load
from onebox import postgres as server
from onebox.postgres import PostgresAddress
from simulator.billing import BillingConsumer
from simulator.letters import FACTS
from simulator.settings import Settings

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
PASSWORD = "only-for-tests"
_CUT_OFF = "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'billing' and datname = current_database()"


def a_line(**changes: object) -> BillingLineRated:
    said = {
        "line_id": new_id(),
        "reason": "advance",
        "product": "endpoint",
        "offer": "endpoint-monthly",
        "offer_version": 1,
        "currency": "EUR",
        "unit_price": Decimal("2.50"),
        "quantity": Decimal(10),
        "numerator": 1,
        "denominator": 1,
        "convention": "day_actual",
        "rounding_order": "multiply_then_round",
        "unrounded_amount": "25.00",
        "amount": Decimal("25.00"),
        "period_from": date(2026, 1, 5),
        "period_to": date(2026, 2, 5),
        "policy_versions": {"rounding": "1"},
        "corrects": None,
    }
    return BillingLineRated.model_validate(said | changes)


def an_envelope(fact: type[Fact], subject: UUID | None = None, version: int = 1) -> Envelope:
    customer = new_id()
    return Envelope(
        id=new_id(),
        type=fact.topic,
        source="/licensing",
        time=NOW,
        effective_time=NOW,
        subject=subject or new_id(),
        partner_id=new_id(),
        customer_id=customer,
        aggregate_type="subscription",
        aggregate_version=version,
        data_schema=f"urn:partnerdeck:schema:{fact.topic}",
    )


class Teller:
    """Tells what it is given, as often as it is asked to."""

    def __init__(self, producer: AIOKafkaProducer, prefix: str) -> None:
        self._producer = producer
        self._prefix = prefix

    async def tell(self, envelope: Envelope, payload: bytes, headers: Sequence[tuple[str, bytes]] | None = None) -> None:
        await self._producer.send_and_wait(
            self._prefix + envelope.type,
            value=payload,
            key=str(envelope.partition_key).encode(),
            headers=list(headers or encode(envelope)),
            partition=partition_for(envelope.partition_key, 2),
        )

    async def tell_lines(self, *lines: BillingLineRated, times: int = 1) -> list[Envelope]:
        envelopes = [an_envelope(BillingLineRated) for _ in lines]
        for _ in range(times):
            for envelope, line in zip(envelopes, lines, strict=True):
                await self.tell(envelope, line.payload())
        return envelopes


@pytest.fixture
async def settings(postgres: PostgresAddress, kafka: str, topics: Topics) -> AsyncIterator[Settings]:
    """Empty books, and topics of their own."""
    await server.prepare_roles(postgres, {"billing": PASSWORD})
    name = f"billing_{new_id().hex}"
    connection = await server.connect(postgres)
    await connection.execute(f"create database {name} owner billing")
    await server.prepare_database(postgres, name, "billing")
    await topics.create(*(fact.topic for fact in FACTS))
    yield Settings(
        database_host=postgres.host,
        database_port=postgres.port,
        database_name=name,
        database_password=SecretStr(PASSWORD),
        kafka=kafka,
        topic_prefix=topics.prefix,
    )
    await connection.execute(f"drop database {name} with (force)")
    await connection.close()


@pytest.fixture
async def teller(topics: Topics, settings: Settings) -> AsyncIterator[Teller]:
    async with AIOKafkaProducer(bootstrap_servers=topics.kafka) as producer:
        yield Teller(producer, topics.prefix)


@pytest.fixture
async def books(postgres: PostgresAddress, settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """A look into the books, past their owner."""
    connection = await server.connect(postgres, settings.database_name)
    yield connection
    await connection.close()


@asynccontextmanager
async def keeping(settings: Settings) -> AsyncIterator[None]:
    """The books are kept meanwhile."""
    consumer = BillingConsumer(settings)
    task = asyncio.create_task(consumer.run())
    try:
        yield
    finally:
        consumer.stop()
        await task


async def rows(books: asyncpg.Connection, query: str) -> list[tuple[object, ...]]:
    try:
        return [tuple(row) for row in await books.fetch(query)]
    except asyncpg.UndefinedTableError:
        return []


async def holds(books: asyncpg.Connection, *lines: BillingLineRated) -> None:
    """Wait until the books hold exactly these lines."""

    async def look() -> bool:
        found = await rows(books, "select line_id from lines order by line_id")
        assert found == sorted((line.line_id,) for line in lines)
        return True

    await eventually(look, within=20)


async def drained(books: asyncpg.Connection, settings: Settings, records: int) -> None:
    """Wait until so many records have been read, whatever became of them."""

    async def look() -> bool:
        ((read,),) = await rows(books, "select coalesce(sum(next_offset), 0)::int from fences") or [(0,)]
        assert read == records
        return True

    await eventually(look, within=20)


async def test_each_line_is_entered_once_under_duplicates_and_restarts(
    settings: Settings, teller: Teller, books: asyncpg.Connection
) -> None:
    first, second = [a_line() for _ in range(20)], [a_line() for _ in range(20)]
    told = await teller.tell_lines(*first, times=3)
    async with keeping(settings):
        await holds(books, *first)
        await teller.tell(told[0], first[0].payload())
    await teller.tell_lines(*second, times=2)
    async with keeping(settings):
        await holds(books, *first, *second)

    assert await rows(books, "select sum(amount), count(*) from lines") == [(Decimal("1000.00"), 40)]
    assert await rows(books, "select count(*) from told") == [(40,)]


async def test_a_replay_from_the_start_changes_nothing(settings: Settings, teller: Teller, books: asyncpg.Connection) -> None:
    lines = [a_line() for _ in range(10)]
    await teller.tell_lines(*lines)
    async with keeping(settings):
        await holds(books, *lines)
    before = await rows(books, "select * from lines order by line_id")
    await books.execute("delete from fences")
    async with keeping(settings):
        await drained(books, settings, 10)

    assert await rows(books, "select * from lines order by line_id") == before


async def test_a_line_told_under_two_event_ids_is_one_line(settings: Settings, teller: Teller, books: asyncpg.Connection) -> None:
    line = a_line()
    for _ in range(2):
        await teller.tell_lines(line)
    async with keeping(settings):
        await drained(books, settings, 2)

    await holds(books, line)


async def test_a_fence_behind_the_end_of_a_topic_made_anew_is_not_believed(
    settings: Settings, teller: Teller, books: asyncpg.Connection
) -> None:
    line, later = a_line(), a_line()
    await teller.tell_lines(line)
    async with keeping(settings):
        await holds(books, line)
    await books.execute("update fences set next_offset = next_offset + 1000")
    await teller.tell_lines(later)
    async with keeping(settings):
        await holds(books, line, later)


async def test_what_a_later_version_said_stands(settings: Settings, teller: Teller, books: asyncpg.Connection) -> None:
    subscription = new_id()
    started = an_envelope(TrialStarted, subscription, 1)
    converted = structs.replace(started, id=new_id(), type=TrialConverted.topic, aggregate_version=2)
    term = {"offer": "o", "offer_version": 1, "seats": 5}
    async with keeping(settings):
        await teller.tell(converted, TrialConverted(**term, term_start=NOW, term_end=NOW).payload())
        await drained(books, settings, 1)
        await teller.tell(started, TrialStarted(**term, ends_at=NOW).payload())
        await drained(books, settings, 2)

    assert await rows(books, "select id, stage, version from subscriptions") == [(subscription, "paid", 2)]
    assert await rows(books, "select type, version from told order by version") == [("trial.started", 1), ("trial.converted", 2)]


async def test_a_sandbox_is_not_billed(settings: Settings, teller: Teller, books: asyncpg.Connection) -> None:
    await teller.tell(structs.replace(an_envelope(BillingLineRated), sandbox=True), a_line().payload())
    line = a_line()
    await teller.tell_lines(line)
    async with keeping(settings):
        await drained(books, settings, 2)

    await holds(books, line)
    assert await rows(books, "select count(*) from told") == [(1,)]


async def test_what_cannot_be_entered_is_kept_with_its_reason_and_holds_nobody_up(
    settings: Settings, teller: Teller, books: asyncpg.Connection
) -> None:
    good = [a_line() for _ in range(4)]
    envelope = an_envelope(BillingLineRated)
    await teller.tell_lines(*good[:2])
    await teller.tell(envelope, b"{broken")
    await teller.tell(envelope, a_line().payload(), headers=[("ce_type", b"billing.line_rated"), ("ce_id", b"\xff")])
    await teller.tell(envelope, a_line(reason="nul \x00").payload())
    await teller.tell(structs.replace(envelope, id=new_id()), a_line(offer_version=2**40).payload())
    await teller.tell_lines(*good[2:])
    async with keeping(settings):
        await holds(books, *good)

    reasons = await rows(books, "select reason from refused order by reason")
    assert [str(reason)[:20].partition(":")[0].strip("('") for (reason,) in reasons] == ["cannot be entered"] * 2 + ["cannot be read"] * 2


async def test_books_that_are_away_are_waited_for(settings: Settings, teller: Teller, books: asyncpg.Connection) -> None:
    before, after = a_line(), a_line()
    async with keeping(settings):
        await teller.tell_lines(before)
        await holds(books, before)
        await books.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'billing' and datname = current_database()"
        )
        await teller.tell_lines(after)
        await holds(books, before, after)


async def test_a_second_copy_waits_and_takes_over(settings: Settings, teller: Teller, books: asyncpg.Connection) -> None:
    one, other = a_line(), a_line()
    async with keeping(settings):
        async with keeping(settings):
            await teller.tell_lines(one)
            await holds(books, one)
        await teller.tell_lines(other)
        await holds(books, one, other)


def environment(settings: Settings) -> dict[str, str]:
    others = {name: value for name, value in os.environ.items() if not name.startswith(("SIMULATOR_", "PARTNERDECK_"))}
    return others | {
        "SIMULATOR_DATABASE_HOST": settings.database_host,
        "SIMULATOR_DATABASE_PORT": str(settings.database_port),
        "SIMULATOR_DATABASE_NAME": settings.database_name,
        "SIMULATOR_DATABASE_PASSWORD": PASSWORD,
        "SIMULATOR_KAFKA": settings.kafka,
        "PARTNERDECK_TOPIC_PREFIX": settings.topic_prefix,
    }


async def a_process(settings: Settings, *arguments: str) -> asyncio.subprocess.Process:
    command = (sys.executable, "-m", "simulator", *arguments)
    return await asyncio.create_subprocess_exec(*command, env=environment(settings), stdout=subprocess.PIPE)


async def test_killed_between_effect_and_commit_it_has_done_nothing_and_does_it_once(
    settings: Settings, teller: Teller, books: asyncpg.Connection
) -> None:
    first, line = a_line(), a_line()
    await teller.tell_lines(first)
    async with keeping(settings):
        await holds(books, first)

    async def stuck() -> bool:
        return bool(await books.fetchval("select count(*) from pg_locks where not granted and relation = 'fences'::regclass"))

    async with books.transaction():
        await books.execute("lock table fences in exclusive mode")
        process = await a_process(settings, "billing")
        await teller.tell_lines(line)
        await eventually(stuck, within=30)
        process.kill()
        await process.communicate()
    await holds(books, first)

    again = await a_process(settings, "billing")
    await holds(books, first, line)
    again.send_signal(signal.SIGTERM)
    await asyncio.wait_for(again.communicate(), 15)
    assert again.returncode == 0


async def test_the_lines_can_be_printed(settings: Settings, teller: Teller, books: asyncpg.Connection) -> None:
    nothing = json.loads((await (await a_process(settings, "lines", "--json")).communicate())[0])
    line = a_line()
    (envelope,) = await teller.tell_lines(line)
    async with keeping(settings):
        await holds(books, line)
    (printed,) = json.loads((await (await a_process(settings, "lines", "--json")).communicate())[0])
    table = (await (await a_process(settings, "lines")).communicate())[0].decode()

    assert nothing == []
    assert (printed["line_id"], printed["subscription_id"]) == (str(line.line_id), str(envelope.subject))
    assert (printed["amount"], printed["unit_price"], printed["quantity"], printed["currency"]) == ("25.00", "2.50", "10", "EUR")
    assert table.splitlines()[1].split()[1:7] == ["advance", "endpoint-monthly", "10", "2.50", "25.00", "EUR"]


def test_it_follows_every_billing_topic_that_is_told() -> None:
    billing = {topic.name for topic in load() if topic.billing}

    assert {fact.topic for fact in FACTS} == billing & set(BY_TOPIC)


def test_it_says_what_it_was_not_told() -> None:
    others = {name: value for name, value in os.environ.items() if not name.startswith("SIMULATOR_")}
    ended = subprocess.run(
        [sys.executable, "-m", "simulator", "billing"], env=others, capture_output=True, text=True, timeout=60, check=False
    )

    assert ended.returncode == 2
    assert "SIMULATOR_DATABASE_PASSWORD" in ended.stderr
    assert "SIMULATOR_KAFKA" in ended.stderr
