"""The sample billing consumer: what a downstream team would run beside its own books.

It reads every partition of the billing topics from where its own fence stands, not from where
Kafka thinks it is, and enters each batch in one transaction. A broker or a database that is away
is waited for; nothing is skipped. One copy reads at a time: the next one waits for its lock.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import asyncpg
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from simulator import books, letters
from simulator.letters import Letter, Refused
from simulator.settings import Settings

log = logging.getLogger(__name__)

BATCH: Final = 500
_WAIT_MS: Final = 200
_BACKOFF: Final = (0.1, 0.5, 1.0, 2.0)
_ONE_READER: Final = "select pg_try_advisory_lock(hashtext('billing reader'))"
_POISON: Final = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, ValueError)
_AWAY: Final = (KafkaError, OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class BillingConsumer:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Read until ``stop``."""
        failures = 0
        while not self._stopping.is_set():
            try:
                async with connected(self._settings) as connection:
                    await self._read(connection)
                failures = 0
            except _AWAY as away:
                log.warning("tried again soon: %r", away)
                failures += 1
                await self._pause(_BACKOFF[min(failures, len(_BACKOFF)) - 1])

    def stop(self) -> None:
        """End after the batch in hand."""
        self._stopping.set()

    async def _read(self, connection: asyncpg.Connection) -> None:
        while not await connection.fetchval(_ONE_READER):
            await self._pause(0.5)
            if self._stopping.is_set():
                return
        await books.open_books(connection)
        async with _reading(self._settings) as kafka:
            known: frozenset[Any] = frozenset()
            log.info("reading %d topics", len(letters.FACTS))
            while not self._stopping.is_set():
                if kafka.assignment() != known:
                    known = frozenset(kafka.assignment())
                    await _seek(kafka, await books.fences(connection))
                fetched = await kafka.getmany(timeout_ms=_WAIT_MS, max_records=BATCH)
                await _enter(connection, [record for records in fetched.values() for record in records])

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the books."""
    connection = await asyncpg.connect(
        host=settings.database_host,
        port=settings.database_port,
        database=settings.database_name,
        user=settings.database_user,
        password=settings.database_password.get_secret_value(),
        timeout=5,
        command_timeout=30,
    )
    async with AsyncExitStack() as stack:
        stack.push_async_callback(connection.close, timeout=2)
        yield connection


@asynccontextmanager
async def _reading(settings: Settings) -> AsyncIterator[AIOKafkaConsumer]:
    """A reader of all partitions of the billing topics; without a group, so nobody else says where it stands."""
    kafka = AIOKafkaConsumer(
        *letters.topics(settings.topic_prefix),
        bootstrap_servers=settings.kafka,
        client_id="billing-sample",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        metadata_max_age_ms=30_000,
    )
    try:
        await kafka.start()
        yield kafka
    finally:
        await kafka.stop()


async def _seek(kafka: AIOKafkaConsumer, fences: dict[tuple[str, int], int]) -> None:
    """Go to the fences. One that lies outside of its partition belongs to a topic that was made anew: read again from the start."""
    partitions = list(kafka.assignment())
    firsts, ends = await kafka.beginning_offsets(partitions), await kafka.end_offsets(partitions)
    for tp in partitions:
        fence = fences.get((tp.topic, tp.partition), 0)
        if fence > ends[tp]:
            log.warning("%s ends before its fence at %d: reading it again", tp, fence)
        kafka.seek(tp, fence if firsts[tp] <= fence <= ends[tp] else firsts[tp])


async def _enter(connection: asyncpg.Connection, records: Sequence[Any]) -> None:
    """Enter a batch. Where something in it cannot be entered, each record by itself, and what cannot is refused."""
    if not records:
        return
    told, refused = letters.read(records)
    places = [letters.place_of(record) for record in records]
    try:
        await books.enter(connection, told, refused, places)
    except _POISON as poison:
        if len(records) == 1:
            await books.enter(connection, (), _refusing(told, poison), places)
            return
        for record in records:
            await _enter(connection, [record])


def _refusing(told: Sequence[Letter], poison: Exception) -> list[Refused]:
    return [Refused(one.place, one.text.encode(), f"cannot be entered: {poison!r}") for one in told]
