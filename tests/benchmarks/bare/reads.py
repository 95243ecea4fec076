"""The limit of reads: a bare ASGI application that sends the statements of a list and of a get, as ours does, and encodes the rows.

The statements are those that the service itself sends, taken down while it answers once.
"""

import asyncio
import gc
import json
import os
import sys
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg
import msgspec
import uvicorn
import uvloop
from starlette.types import Receive, Scope, Send

from chassis.access.rights import rights_of
from chassis.clock import SystemClock
from chassis.database import ApiDatabase
from chassis.database.api import _opening, entry
from chassis.environment import load
from chassis.http.lists import Wanted
from chassis.principal import Principal
from customers import customer_list
from customers.settings import Settings

type Statement = tuple[str, tuple[Any, ...]]

_CONNECTIONS: Final = 8
_STORED: Final = ("company", "contact", "first_admin", "products")


class Row(msgspec.Struct):
    """Whatever a row holds, by position."""

    id: UUID
    partner_id: UUID
    version: int
    status: str
    management_type: str
    communications_mode: str
    company: msgspec.Raw
    domain: str
    contact: msgspec.Raw
    tags: list[str]
    created_at: Any


class Bare:
    """The application. ``opening`` begins the transaction, the statements are sent in it one by one."""

    def __init__(self, pool: "asyncpg.Pool[Any]", listing: list[Statement], getting: list[Statement]) -> None:
        self._pool = pool
        self._turn = asyncio.Semaphore(_CONNECTIONS)
        self._listing = listing
        self._getting = getting

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["path"] == "/v1/customers":
            _, _, rows = await self._sent(self._listing)
            body = msgspec.json.encode({"items": [Row(*_values(row)) for row in rows[:50]], "next": str(rows[-1]["id"])})
        else:
            customer_id = UUID(scope["path"].rpartition("/")[2])
            _, _, rows = await self._sent([*self._getting[:-1], (self._getting[-1][0], _asked(self._getting[-1][1], customer_id))])
            body = msgspec.json.encode(_whole(rows[0]))
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _sent(self, statements: list[Statement]) -> list[Any]:
        """Answers of the statements between the first, which opens, and the end."""
        (opening, _), *others = statements
        async with self._turn, self._pool.acquire() as connection:
            answers: list[Any] = [await connection.execute(opening)]
            answers += [await connection.fetch(sql, *arguments) for sql, arguments in others]
            await connection.execute("COMMIT")
        return answers


def _values(row: Any) -> list[Any]:
    names = Row.__struct_fields__
    return [msgspec.Raw(row[name].encode()) if name in _STORED else row[name] for name in names]


def _whole(row: Any) -> dict[str, Any]:
    return {name: msgspec.Raw(value.encode()) if name in _STORED else value for name, value in row.items()}


def _asked(arguments: tuple[Any, ...], customer_id: UUID) -> tuple[Any, ...]:
    return tuple(customer_id if argument == _SAMPLE else argument for argument in arguments)


_SAMPLE: Final = UUID(os.environ.get("PARTNERDECK_BENCH_CUSTOMER", str(UUID(int=0))))


async def _taken_down(settings: Settings, principal: Principal) -> tuple[list[Statement], list[Statement]]:
    """What the service sends for a page and for one customer, the second time: at first the driver asks about types too."""
    database = ApiDatabase(settings.database("customers"), SystemClock(), connections=1)
    await database.open()
    try:
        taken: list[list[Statement]] = []
        for kind in ("list", "get") * 2:
            said: list[Statement] = []
            taken.append(said)
            async with database.read(principal) as read:
                raw = read.connection
                said.append((_opening(entry("customers", principal)), ()))
                with raw.query_logger(lambda one, said=said: said.append((one.query, tuple(one.args)))):
                    read.rights = await rights_of(raw.fetchrow, principal)
                    if kind == "list":
                        await customer_list.page(read, Wanted())
                    else:
                        await customer_list.one(read, _SAMPLE)
        return taken[2], taken[3]
    finally:
        await database.close()


async def _main() -> None:
    said = json.loads(sys.argv[1])
    principal = Principal(kind="partner", user_id=UUID(said["user"]), partner_id=UUID(said["partner"]), gen=said["gen"])
    settings = load(Settings)
    listing, getting = await _taken_down(settings, principal)
    pool = await asyncpg.create_pool(**settings.database("customers").reached_as("api"), min_size=1, max_size=_CONNECTIONS, reset=_nothing)
    where = urlsplit(os.environ["PARTNERDECK_BENCH_URL"])
    config = uvicorn.Config(
        Bare(pool, listing, getting), host=where.hostname or "", port=where.port or 0, log_config=None, access_log=False, lifespan="off"
    )
    gc.collect()
    gc.freeze()
    await uvicorn.Server(config).serve()


async def _nothing(_connection: Any) -> None:
    """Nothing is left behind by a transaction that has ended."""


if __name__ == "__main__":
    uvloop.run(_main())
