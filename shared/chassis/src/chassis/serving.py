"""Serving: an ASGI application on an address, until SIGTERM or SIGINT; then it drains.

The door closes at once; requests in hand have eight seconds, and so has what else the process does.
"""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from chassis.http.joining import JoiningProtocol


async def serve(app: ASGIApp, *, host: str, port: int, stopping: Callable[[], None] | None = None, **options: Any) -> None:
    """Run until a signal ends it. ``stopping`` is told at once; ``options`` are uvicorn's own."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=8,
        **{"http": JoiningProtocol, "proxy_headers": False, **options},
    )
    server = _Server(config)

    def end() -> None:
        server.should_exit = True
        if stopping is not None:
            stopping()

    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, end)
    await server.serve()


class _Server(uvicorn.Server):
    """uvicorn without signal handlers of its own: the process decides when it ends."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
