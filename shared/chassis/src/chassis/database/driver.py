"""The driver: asyncpg under SQLAlchemy, with what neither does by itself.

*Savepoints whose names come again.* SQLAlchemy numbers savepoints, so each is a new statement that
PostgreSQL parses anew and that drives useful ones out of the cache of prepared statements: four
round trips more per item of a worker. With sixteen names they are prepared once. One that was
rolled back is released too, so a name always means the innermost savepoint that is open.

*Connections that are finished or closed.* A request that is given up while its connection is
being made leaves it to nobody; here it is made in a task of its own and closed behind it.

*Hosts that vanish.* Nobody is told when one loses its power: the kernel asks after ten silent
seconds, and gives a connection up after fifteen without an answer. A server that stands still
answers the kernel all the same, so whoever waits for a statement waits so long and no longer.
"""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, override

import asyncpg
from sqlalchemy import URL, Connection
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg

from chassis.database.settings import DatabaseSettings, Login

_NAME: Final = "postgresql+again"
_NAMES: Final = 16
_ANSWERS_WITHIN: Final[dict[Login, float]] = {"api": 30.0, "worker": 60.0}
"""Seconds that a statement may take, of a request and of a worker."""
_ALIVE: Final = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 15_000}
"""Seconds, and milliseconds for the last; those that this system has."""
_closing: Final[set[asyncio.Task[None]]] = set()


def url(settings: DatabaseSettings, login: Login) -> URL:
    """Where an engine connects to, with this driver."""
    return settings.url(login).set(drivername=_NAME)


def reached(settings: DatabaseSettings, login: Login) -> dict[str, Any]:
    """What ``connect`` needs for a connection in a pool, on which no statement takes for ever."""
    return {**settings.reached_as(login), "command_timeout": _ANSWERS_WITHIN[login]}


async def connect(*place: Any, **named: Any) -> "asyncpg.Connection[Any]":
    """``asyncpg.connect``; whoever waits for it may be cancelled."""
    making = asyncio.create_task(_make(*place, **named))
    try:
        return await asyncio.shield(making)
    except asyncio.CancelledError:
        closing = asyncio.create_task(_close(making))
        _closing.add(closing)
        closing.add_done_callback(_closing.discard)
        raise


class Dialect(PGDialect_asyncpg):
    """PostgreSQL by asyncpg."""

    supports_statement_cache = True

    @override
    def on_connect(self) -> Callable[[Any], None]:
        set_up = super().on_connect()  # type: ignore[no-untyped-call]

        def closed_unless_set_up(connection: Any) -> None:
            try:
                set_up(connection)
            except BaseException:
                connection.terminate()
                raise

        return closed_unless_set_up

    @override
    def do_savepoint(self, connection: Connection, name: str) -> None:
        super().do_savepoint(connection, _again(name))  # type: ignore[no-untyped-call]

    @override
    def do_rollback_to_savepoint(self, connection: Connection, name: str) -> None:
        super().do_rollback_to_savepoint(connection, _again(name))  # type: ignore[no-untyped-call]
        super().do_release_savepoint(connection, _again(name))  # type: ignore[no-untyped-call]

    @override
    def do_release_savepoint(self, connection: Connection, name: str) -> None:
        super().do_release_savepoint(connection, _again(name))  # type: ignore[no-untyped-call]


async def _make(*place: Any, **named: Any) -> "asyncpg.Connection[Any]":
    connection: asyncpg.Connection[Any] = await asyncpg.connect(*place, **named)
    line = connection._transport.get_extra_info("socket")  # type: ignore[attr-defined]  # noqa: SLF001 (no public way to it)
    if line.family != socket.AF_UNIX:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _ALIVE.items():
            if hasattr(socket, option):
                line.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    return connection


async def _close(making: "asyncio.Task[asyncpg.Connection[Any]]") -> None:
    with suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        (await making).terminate()


def _again(name: str) -> str:
    """``sa_savepoint_17`` is ``item_1``."""
    return f"item_{int(name.rpartition('_')[2]) % _NAMES}"


registry.register("postgresql.again", __name__, Dialect.__name__)
