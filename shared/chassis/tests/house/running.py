"""The tests' own service, running: in this process, where it can be looked into, and in one of its own, which can be ended."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from pydantic import SecretStr

from chassis.database import DatabaseSettings
from chassis.service import EVERYTHING, Part, Process, Service
from chassis.settings import ServiceSettings
from chassis_testing.topics import Topics
from chassis_testing.waiting import eventually
from house import process
from onebox.ports import free_ports

HERE = Path(__file__).parent.parent


@asynccontextmanager
async def in_here(
    database: DatabaseSettings,
    topics: Topics,
    *,
    parts: Collection[Part] = EVERYTHING,
    kafka: str | None = None,
    service: Callable[[ServiceSettings], Service] = process.service,
) -> AsyncIterator[httpx.AsyncClient]:
    """The service within this process, and a client of it."""
    settings = process.Settings(
        database_host=database.host,
        database_port=database.port,
        database_name=database.name,
        worker_password=SecretStr(database.password("worker")),
        api_password=SecretStr(database.password("api")),
        kafka=kafka or topics.kafka,
        http_port=1,
        keys_url="http://127.0.0.1:1/keys",
        PARTNERDECK_TOPIC_PREFIX=topics.prefix,
    )
    app = Process(service(settings), frozenset(parts)).app()
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://houses") as client:
        yield client


async def failing(client: httpx.AsyncClient) -> set[str]:
    """The checks that do not hold; whatever they are, the process is alive."""
    assert (await client.get("/health/live")).status_code == 200
    answer = await client.get("/health/ready")
    said = answer.json()
    assert (answer.status_code, said["ready"]) == ((200, True) if all(said["checks"].values()) else (503, False))
    return {check for check, holds in said["checks"].items() if not holds}


async def until_ready(client: httpx.AsyncClient, *, within: float = 60) -> None:
    async def ready() -> bool:
        assert await failing(client) == set()
        return True

    await eventually(ready, within=within)


class Child:
    """The service in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process, client: httpx.AsyncClient) -> None:
        self.client = client
        self._process = process

    async def end(self) -> int:
        """Ask it to end, and wait until it has: its exit code."""
        self._process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self._process.wait(), timeout=30)


@asynccontextmanager
async def out_there(database: DatabaseSettings, topics: Topics) -> AsyncIterator[Child]:
    """Started, ready; killed at last if it still runs."""
    port = free_ports(1)[0]
    told = {
        "HOUSE_DATABASE_HOST": database.host,
        "HOUSE_DATABASE_PORT": str(database.port),
        "HOUSE_DATABASE_NAME": database.name,
        "HOUSE_WORKER_PASSWORD": database.password("worker"),
        "HOUSE_API_PASSWORD": database.password("api"),
        "HOUSE_KAFKA": topics.kafka,
        "HOUSE_HTTP_PORT": str(port),
        "PARTNERDECK_TOPIC_PREFIX": topics.prefix,
        "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path]),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "house.process", "serve", env=os.environ | told, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:

            async def ready() -> bool:
                try:
                    return (await client.get("/health/ready")).is_success
                except httpx.TransportError:
                    return False

            await eventually(ready, within=60)
            yield Child(process, client)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
