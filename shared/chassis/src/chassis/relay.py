"""The relay: takes what transactions told from the outbox to Kafka, at least once, in order per entity.

One leader per service holds an advisory lock on a connection of its own. It reads from a
low-water mark and once a second from the beginning, because a transaction that commits late
leaves rows below the mark. A row brings all earlier rows of its entity with it, wherever the
mark is, so nothing overtakes within an entity. It deletes exactly what the broker has acknowledged.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import asyncpg
import msgspec
import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from prometheus_client import Counter, Gauge

from chassis.database.worker import WorkerDatabase
from chassis.metrics import REGISTRY
from contracts.partitions import partition_for

log = structlog.get_logger()

WAVE: Final = 1000
_LOCK: Final = 7_041_777
_IDLE: Final = 0.02
_SWEEP_EVERY: Final = 1.0
_ACK_WITHIN: Final = 3.0
_ABSENT: Final = 0.5

_READ: Final = """
with wave as (select id, entity from outbox where id >= $1 order by id limit $2),
     last as (select entity, max(id) as id from wave group by entity)
select o.id, o.entity, o.topic, o.key, o.partition_key, o.headers, o.payload, extract(epoch from now() - o.created_at) as age
  from last join outbox o on o.entity = last.entity and o.id <= last.id
 order by o.id
"""

_INTERRUPTIONS: Final = (
    OSError,
    TimeoutError,
    KafkaError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that the server ended while it was idle, at its next use
)

PUBLISHED: Final = Counter("relay_published", "Rows of the outbox that the broker acknowledged", registry=REGISTRY)
OLDEST: Final = Gauge("relay_oldest_row_seconds", "Age of the oldest row that is not acknowledged", registry=REGISTRY)


class Relay:
    """Publishes one service's outbox until it is stopped."""

    def __init__(self, database: WorkerDatabase, *, kafka: str, prefix: str = "") -> None:
        self._database = database
        self._kafka = kafka
        self._prefix = prefix
        self._stopping = asyncio.Event()
        self.name: Final = "relay"
        self.leading = False
        self.failures = 0
        """Failures in a row; 0 while all is well (readiness)."""

    async def run(self) -> None:
        """Lead whenever nobody else does, until ``stop``. A lost database or broker is waited for."""
        while not self._stopping.is_set():
            try:
                await self._try_to_lead()
            except _INTERRUPTIONS as failure:
                self.failures += 1
                log.warning("relay_interrupted", reason=repr(failure), failures=self.failures)
            finally:
                self.leading = False
            await self._pause(_ABSENT)

    def stop(self) -> None:
        """Ask the loop to end after the wave in hand."""
        self._stopping.set()

    async def _try_to_lead(self) -> None:
        async with self._database.direct(idle_session_timeout="5s", tcp_user_timeout="5s", lock_timeout="2s") as connection:
            if not await connection.fetchval("select pg_try_advisory_lock($1)", _LOCK):
                self.failures = 0
                return
            producer = _producer(self._kafka)
            try:
                await asyncio.wait_for(producer.start(), timeout=10)
                self.leading = True
                log.info("relay_leads")
                await self._lead(connection, producer)
            finally:
                with suppress(TimeoutError, KafkaError):
                    await asyncio.wait_for(producer.stop(), timeout=2)

    async def _lead(self, connection: "asyncpg.Connection[Any]", producer: AIOKafkaProducer) -> None:
        mark = 0
        swept = time.monotonic()
        while not self._stopping.is_set():
            if time.monotonic() - swept >= _SWEEP_EVERY:
                mark, swept = 0, time.monotonic()
            rows = await connection.fetch(_READ, mark, WAVE)
            OLDEST.set(max((float(row["age"]) for row in rows), default=0.0))
            if not rows:
                self.failures = 0
                await self._pause(_IDLE)
                continue
            await self._wave(connection, producer, rows)
            mark = rows[-1]["id"] + 1
            self.failures = 0

    async def _wave(self, connection: "asyncpg.Connection[Any]", producer: AIOKafkaProducer, rows: Sequence[asyncpg.Record]) -> None:
        acknowledged, failure = await self._publish(producer, rows)
        done = in_order(rows, acknowledged)
        if done:
            await connection.execute("delete from outbox where id = any($1::bigint[])", done)
            PUBLISHED.inc(len(done))
        if failure is not None:
            raise failure

    async def _publish(
        self, producer: AIOKafkaProducer, rows: Sequence[asyncpg.Record]
    ) -> tuple[set[int], KafkaError | TimeoutError | None]:
        """Send a wave and wait for its acknowledgements: which rows the broker has, and what went wrong with the others."""
        sent: dict[asyncio.Future[Any], int] = {}
        failure: KafkaError | TimeoutError | None = None
        try:
            async with asyncio.timeout(_ACK_WITHIN):
                for row in rows:
                    sent[await self._send(producer, row)] = row["id"]
                await asyncio.wait(sent)
        except (KafkaError, TimeoutError) as stopped:
            failure = stopped
        acknowledged = {row_id for future, row_id in sent.items() if future.done() and not future.cancelled() and not future.exception()}
        if failure is None and len(acknowledged) < len(rows):
            failure = next((error for future in sent if (error := future.exception())), KafkaError("not acknowledged"))
        return acknowledged, failure

    async def _send(self, producer: AIOKafkaProducer, row: asyncpg.Record) -> "asyncio.Future[Any]":
        topic = self._prefix + row["topic"]
        partitions = await producer.partitions_for(topic)
        return await producer.send(  # type: ignore[no-any-return]
            topic,
            value=row["payload"],
            key=row["key"].encode(),
            headers=[(name, value.encode()) for name, value in msgspec.json.decode(row["headers"])],
            partition=partition_for(row["partition_key"], len(partitions)),
        )

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), timeout=seconds)


def in_order(rows: Sequence[asyncpg.Record], acknowledged: set[int]) -> list[int]:
    """The acknowledged rows that have no unacknowledged earlier row of the same entity in the wave."""
    waiting = set()
    done = []
    for row in rows:
        if row["id"] in acknowledged and row["entity"] not in waiting:
            done.append(row["id"])
        else:
            waiting.add(row["entity"])
    return done


def _producer(kafka: str) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        bootstrap_servers=kafka,
        acks="all",
        enable_idempotence=True,
        linger_ms=0,
        max_batch_size=262_144,
        max_request_size=1_048_576,
        compression_type="lz4",
        request_timeout_ms=3_000,
    )
