"""Noticing that the caller has left, so that nobody works for nobody.

Most answers are there before a watch would be worth its cost, so it begins a quarter of a second late.
"""

import asyncio
from types import TracebackType
from typing import Final, Self

from starlette.types import Receive

LATE: Final = 0.25


class CallerLeft(Exception):
    """The caller closed the connection before its request was complete."""


class Leaving:
    """Cancels what is inside when the caller leaves, and ends there quietly.

    Only one may receive at a time: ``watch`` is called once the request's body has been read.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._left = False
        self._timer: asyncio.TimerHandle | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._inside: asyncio.Task[object] | None = None

    def watch(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(LATE, self._begin)

    async def __aenter__(self) -> Self:
        self._inside = asyncio.current_task()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None) -> bool:
        if self._timer is not None:
            self._timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()
        if self._left and self._inside is not None:
            self._inside.uncancel()
            return kind is None or issubclass(kind, asyncio.CancelledError)
        return False

    def _begin(self) -> None:
        self._watcher = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._left = True
        if self._inside is not None:
            self._inside.cancel()
