"""Every test that changes something over HTTP proves on the way that the audit shows it (GW-11)."""

from collections.abc import Awaitable, Callable

import asyncpg
import httpx

from chassis.database import DatabaseSettings
from chassis.http.consistency import BEHIND, HEADER

_ENTRIES = "select count(*) from audit where request_id = $1 and outcome = 'done'"


def audited(settings: DatabaseSettings) -> Callable[[httpx.Response], Awaitable[None]]:
    """A response hook of httpx: fails the test when an answer says that something was written, and the audit knows nothing of the request.

    What was answered before under the same key was audited then.
    """
    keys = set[str]()

    async def look(answer: httpx.Response) -> None:
        key = answer.request.headers.get("idempotency-key")
        replayed = key in keys
        keys.update([key] if key else [])
        if replayed or not answer.is_success or answer.headers.get(HEADER, BEHIND) == BEHIND:
            return
        connection = await asyncpg.connect(
            host=settings.host,
            port=settings.port,
            database=settings.name,
            user=settings.user("worker"),
            password=settings.password("worker"),
        )
        try:
            entries = await connection.fetchval(_ENTRIES, answer.headers["x-request-id"])
        finally:
            await connection.close()
        assert entries, f"{answer.request.method} {answer.request.url.path} left nothing in the audit"

    return look
