"""Readers' connections: few, lasting, each lent to one reader at a time, whoever waits served in the order of coming.

A connection comes back clean or closed: whoever cannot end its transaction closes it. So
nothing is asked of the server between two readers, and nobody's task is begun for it, which the
driver's own pool takes a tenth of a small read's time for.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg

type Connection = asyncpg.Connection[Any]

_CLOSES_WITHIN: Final = 5.0


class Readers:
    """At most so many connections, made as they are needed."""

    def __init__(self, connect: Callable[[], Awaitable[Connection]], most: int) -> None:
        self._connect = connect
        self._turn = asyncio.Semaphore(most)
        self._idle: list[Connection] = []
        self._lent = 0
        self._open = True

    @property
    def in_hand(self) -> int:
        return self._lent

    async def take(self) -> Connection:
        """A connection, to be given back; one that the server closed while it was idle is made anew."""
        await self._turn.acquire()
        try:
            connection = self._waiting() or await self._connect()
        except BaseException:
            self._turn.release()
            raise
        self._lent += 1
        return connection

    def give(self, connection: Connection) -> None:
        """Give one back, with no transaction open, or closed."""
        self._lent -= 1
        self._turn.release()
        if not self._open:
            connection.terminate()
        elif not connection.is_closed():
            self._idle.append(connection)

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[Connection]:
        """One for statements outside of a transaction; closed where one of them fails."""
        connection = await self.take()
        try:
            yield connection
        except BaseException:
            connection.terminate()
            raise
        finally:
            self.give(connection)

    async def close(self) -> None:
        """Close what is idle now, and the rest as it comes back. Where nobody is there to take leave of, they are dropped."""
        self._open = False
        idle, self._idle = self._idle, []
        await asyncio.gather(*(one.close(timeout=_CLOSES_WITHIN) for one in idle), return_exceptions=True)

    def _waiting(self) -> Connection | None:
        while self._idle:
            if not (last := self._idle.pop()).is_closed():
                return last
        return None
