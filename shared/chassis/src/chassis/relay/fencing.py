"""Producers of which only the newest may write: each relay of a service fences the ones before it.

Starting a producer under a transactional id makes the broker raise that id's epoch; batches
carry the epoch, and a partition that has seen a newer one refuses the older. For this no
transactions are needed, so the id is taken away again before anything is sent: a transaction
per wave would cost two more round trips and delay every reader by its commit.

A partition learns of the epoch with the first batch of the new producer. That is enough: all
rows that an older relay may still hold are still in the outbox, so the newer one sends them too,
to the same partitions.

This is the only module that knows the inside of aiokafka (0.14: ``_txn_manager``,
``_sender``, ``_closed``); ``test_relay_fencing`` holds it to a real broker.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

_START_WITHIN: Final = 4.0
"""Below the session timeout of the lock's connection, which is idle meanwhile."""
_STOP_WITHIN: Final = 1.0
_PUSHES: Final = 4


@asynccontextmanager
async def producing(kafka: str, name: str) -> AsyncIterator[AIOKafkaProducer]:
    """A producer that fences all earlier ones of this ``name``. What it has not sent when it is left is thrown away."""
    producer = _producer(kafka, name)
    try:
        async with asyncio.timeout(_START_WITHIN):
            await producer.start()
        producer._txn_manager.transactional_id = None  # noqa: SLF001
        yield producer
    finally:
        await _discard(producer)


async def _discard(producer: AIOKafkaProducer) -> None:
    """Close a producer without flushing it: what it still holds is read again, and must not be sent late."""
    producer._closed = True  # noqa: SLF001 (its own way to close flushes first)
    sender = producer._sender.sender_task  # noqa: SLF001
    for _ in range(_PUSHES):  # the first ends the sender, which waits for what is on the wire; the next ends that
        if sender is None or sender.done():
            break
        sender.cancel()
        await asyncio.wait({sender}, timeout=_STOP_WITHIN / _PUSHES)
    with suppress(TimeoutError, KafkaError, OSError):
        async with asyncio.timeout(_STOP_WITHIN):
            await producer.client.close()


def _producer(kafka: str, name: str) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        bootstrap_servers=kafka,
        client_id=name,
        transactional_id=name,
        acks="all",
        linger_ms=0,
        max_batch_size=262_144,
        compression_type="lz4",
        request_timeout_ms=3_000,
    )
