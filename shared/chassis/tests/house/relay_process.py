"""A relay and nothing else, which stops itself where it is told to: ``python -m house.relay_process JSON``."""

import asyncio
import json
import os
import signal
import socket
import sys
from typing import Any

from aiokafka.conn import AIOKafkaConnection
from aiokafka.protocol.produce import ProduceRequest
from asyncpg.protocol.protocol import Protocol
from pydantic import SecretStr

from chassis.clock import SystemClock
from chassis.database import DatabaseSettings, WorkerDatabase
from chassis.relay import Relay

SOME = 1_000_000


def sleep_reading() -> None:
    """Stop when a megabyte of a wave has come and more is under way, which the socket's buffers do not hold."""
    received, made = Protocol.data_received, Protocol.connection_made
    come = 0

    def connection_made(self: Protocol, transport: asyncio.Transport) -> None:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOME)
        made(self, transport)

    def data_received(self: Protocol, data: bytes) -> None:
        nonlocal come
        before, come = come, come + len(data)
        if before < SOME <= come:
            os.kill(os.getpid(), signal.SIGSTOP)
        received(self, data)

    Protocol.connection_made, Protocol.data_received = connection_made, data_received


def sleep_sending() -> None:
    """Stop with the first batch in hand, before it is written to the broker's socket."""
    send = AIOKafkaConnection.send
    slept = False

    def sleepy(self: AIOKafkaConnection, request: Any, **options: Any) -> Any:
        nonlocal slept
        if isinstance(request, ProduceRequest) and not slept:
            slept = True
            os.kill(os.getpid(), signal.SIGSTOP)
        return send(self, request, **options)

    AIOKafkaConnection.send = sleepy


async def main(told: dict[str, Any]) -> None:
    settings = DatabaseSettings(**told["database"], passwords={"worker": SecretStr(told["password"])})
    relay = Relay(WorkerDatabase(settings, SystemClock()), kafka=told["kafka"], prefix=told["prefix"])
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, relay.stop)
    {"never": lambda: None, "reading": sleep_reading, "sending": sleep_sending}[told["sleeps"]]()
    await relay.run()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
