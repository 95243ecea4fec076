"""P4: how many customers a second one process of the service creates."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks.bare import pgbench
from benchmarks.frame import Round, at_least, row
from benchmarks.load import Client
from benchmarks.processes import Process, python
from benchmarks.stage import Stage
from chassis.ids import new_id
from onebox import people

_CLIENTS: Final = 8
_SECONDS: Final = 4
_WARMING: Final = 100
_UNTIL_LOGGED: Final = 0.5


@row(
    "P4",
    "create of a customer (validation, screening, key, outbox, audit)",
    against="pgbench with the same statements, prepared",
    unit="commits/s",
    rate=True,
    bar=at_least(0.15, aim=0.30),
    cause="half is SQLAlchemy's work on thirteen statements, a fifth the driver's and its sockets', a tenth the loop's, a twelfth the"
    " framework's, a tenth the rules, what is told and the audit; pgbench sends ready text",
)
async def created(stage: Stage) -> AsyncIterator[Round]:
    async with _alone(stage) as service:
        client = await stage.client(service.url)
        await client.drive(creations(client), clients=_CLIENTS, most=_WARMING)
        script = stage.folder / "create.sql"
        script.write_text(pgbench.script(await _logged(stage, client)))
        while True:
            driven = await client.drive(creations(client), clients=_CLIENTS, seconds=_SECONDS)
            limit = await pgbench.per_second(stage.settings("customers"), script, clients=_CLIENTS, seconds=_SECONDS)
            yield Round(ours=driven.per_second, limit=limit)


@asynccontextmanager
async def _alone(stage: Stage) -> AsyncIterator[Process]:
    """The service's API while nobody works off what is told: that costs several times a creation and is other rows' concern.

    What the limit tells would burden the next round of ours, so all of it is forgotten.
    """
    await stage.headers()
    async with stage.without("customers"), stage.process("customers", *python("customers", "api")) as service:
        try:
            yield service
        finally:
            async with stage.database("customers") as connection:
                await connection.execute("truncate outbox")


def creations(client: Client) -> Iterator[bytes]:
    """Requests that create one customer each."""
    return (_creation(client, f"{new_id().int % 10**12:012d}") for _ in itertools.count())


def _creation(client: Client, mark: str) -> bytes:
    body = people.customer(f"Harbour Freight {mark}", "Mia Maple")
    return client.post("/v1/customers", body, idempotency_key=f"bench-{mark}")


async def _logged(stage: Stage, client: Client) -> str:
    """What PostgreSQL logs of one creation."""
    file: Path = stage.suite.home.log("postgres")
    async with stage.database("postgres") as connection:
        await connection.execute("alter role customers_api set log_min_duration_statement = 0")
        try:
            await _until_new_connections(stage)
            await client.drive(creations(client), clients=1, most=2 * _CLIENTS)
            begins = _size(file)
            await client.drive(iter([_creation(client, pgbench.MARKER)]), clients=1, most=1)
            await asyncio.sleep(_UNTIL_LOGGED)
        finally:
            await connection.execute("alter role customers_api reset log_min_duration_statement")
    await _until_new_connections(stage)
    with file.open("rb") as log:
        log.seek(begins)
        said: Any = log.read().decode()
    return str(said)


def _size(file: Path) -> int:
    return file.stat().st_size


async def _until_new_connections(stage: Stage) -> None:
    """A role's settings count from the next connection on."""
    async with stage.database("postgres") as connection:
        await connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'customers_api'")
    await asyncio.sleep(_UNTIL_LOGGED)
