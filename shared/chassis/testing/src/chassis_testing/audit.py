"""Every test that changes something over HTTP proves on the way that the audit shows it (GW-11)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import asyncpg
import httpx

from chassis.database import DatabaseSettings
from chassis.http.consistency import BEHIND, HEADER

_ENTRIES = "select count(*) from audit where request_id = $1 and outcome = 'done'"


@asynccontextmanager
async def auditing(settings: DatabaseSettings) -> AsyncIterator[Callable[[httpx.Response], Awaitable[None]]]:
    """A response hook of httpx: fails the test when an answer says that something was written, and the audit knows nothing of the request.

    What was answered before under the same key was audited then.
    """
    keys = set[str]()
    async with AsyncExitStack() as opened:
        connect = partial(asyncpg.connect, **settings.reached_as("worker"))
        connection: asyncpg.Connection[asyncpg.Record] | None = None
        one_at_a_time = asyncio.Lock()

        async def look(answer: httpx.Response) -> None:
            nonlocal connection
            key = answer.request.headers.get("idempotency-key")
            replayed = key in keys
            keys.update([key] if key else [])
            if replayed or not answer.is_success or answer.headers.get(HEADER, BEHIND) == BEHIND:
                return
            async with one_at_a_time:
                if connection is None or connection.is_closed():
                    connection = await connect()
                    opened.push_async_callback(connection.close)
                entries = await connection.fetchval(_ENTRIES, answer.headers["x-request-id"])
            assert entries, f"{answer.request.method} {answer.request.url.path} left nothing in the audit"

        yield look
