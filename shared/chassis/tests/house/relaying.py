"""Relays in tests: in this process, and in one of their own that can be stopped, resumed and killed."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

from chassis.database import WorkerDatabase
from chassis.database.settings import DatabaseSettings
from chassis.ids import new_id
from chassis.principal import Principal
from chassis.relay import Relay
from chassis_testing.topics import Topics
from chassis_testing.waiting import eventually

HERE = Path(__file__).parent.parent


def a_partner() -> Principal:
    return Principal(kind="partner", user_id=new_id(), partner_id=new_id(), gen=1)


@asynccontextmanager
async def relaying(database: WorkerDatabase, topics: Topics) -> AsyncIterator[Relay]:
    relay = Relay(database, kafka=topics.kafka, prefix=topics.prefix)
    task = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        relay.stop()
        await task


async def leads(relay: Relay) -> None:
    async def it_leads() -> bool:
        return relay.leading

    await eventually(it_leads)


async def left(database: WorkerDatabase) -> int:
    """How many rows are to be sent."""
    async with database.direct() as connection:
        return int(await connection.fetchval("select count(*) from outbox where lane < 3"))


async def drained(database: WorkerDatabase, *, within: float = 30.0) -> None:
    async def empty() -> bool:
        return await left(database) == 0

    await eventually(empty, within=within)


async def versions(topics: Topics) -> dict[str, list[int]]:
    """The versions of each house as ``house.changed`` shows them, each where it stands first."""
    found: dict[str, list[int]] = {}
    for one in await topics.everything("house.changed"):
        seen = found.setdefault(str(one.envelope.subject), [])
        if one.envelope.aggregate_version not in seen:
            seen.append(one.envelope.aggregate_version)
    return found


class RelayProcess:
    """A relay in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.lines: list[str] = []
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.lines.append(line.decode())

    async def says(self, event: str) -> None:
        async def said() -> bool:
            return any(event in line for line in self.lines)

        await eventually(said, within=20)

    async def sleeps(self) -> None:
        """Wait until it has stopped itself."""

        async def stopped() -> bool:
            return psutil.Process(self._process.pid).status() == psutil.STATUS_STOPPED

        await eventually(stopped, within=20)

    def resume(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    async def kill(self) -> None:
        """As ``kill -9`` does."""
        self._process.kill()
        await self._process.wait()

    async def end(self) -> None:
        """Resume it, ask it to end and wait until it has."""
        if self._process.returncode is None:
            self.resume()
            self._process.terminate()
            try:
                await asyncio.wait_for(self._process.wait(), timeout=10)
            except TimeoutError:
                await self.kill()
        await self._reading


@asynccontextmanager
async def relay_process(settings: DatabaseSettings, topics: Topics, *, sleeps: str = "never") -> AsyncIterator[RelayProcess]:
    """Start a relay that stops itself (SIGSTOP) once, ``reading`` or ``sending``."""
    told = {
        "database": {"service": settings.service, "host": settings.host, "port": settings.port, "name": settings.name},
        "password": settings.password("worker"),
        "kafka": topics.kafka,
        "prefix": topics.prefix,
        "sleeps": sleeps,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "house.relay_process",
        json.dumps(told),
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE), *sys.path]), "PYTHONUNBUFFERED": "1"},
    )
    child = RelayProcess(process)
    try:
        yield child
    finally:
        await child.end()
