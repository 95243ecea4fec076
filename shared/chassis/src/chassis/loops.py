"""Loops: what a process does in the background, until it is asked to end; then each finishes what it has in hand.

A loop that ends by itself is a bug, and the process must not go on without it.
"""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final, Protocol

import structlog

log = structlog.get_logger()

PATIENCE: Final = 8.0
"""Seconds from being asked to end until what is in hand is given up; the database undoes it then, and it is done again."""
_AT_LEAST: Final = 0.5


class Loop(Protocol):
    """Runs until it is stopped. ``failures`` in a row make the process unready."""

    @property
    def name(self) -> str: ...
    @property
    def failures(self) -> int: ...
    async def run(self) -> None: ...
    def stop(self) -> None: ...


class Loops:
    """The loops of one process."""

    def __init__(self, loops: Sequence[Loop]) -> None:
        self._loops = loops
        self._until: float | None = None

    def stop(self) -> None:
        """Ask all to end; their time runs from the first asking."""
        if self._until is None:
            self._until = time.monotonic() + PATIENCE
            for loop in self._loops:
                loop.stop()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run them; on leaving, wait for what they have in hand."""
        tasks = [asyncio.create_task(_or_die(loop), name=loop.name) for loop in self._loops]
        try:
            yield
        finally:
            self.stop()
            await self._ended(tasks)

    async def _ended(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        left = max(_AT_LEAST, (self._until or 0) - time.monotonic())
        _, late = await asyncio.wait(tasks, timeout=left) if tasks else (set(), set())
        for task in late:
            log.warning("part_given_up", part=task.get_name())
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)


async def _or_die(loop: Loop) -> None:
    structlog.contextvars.bind_contextvars(part=loop.name)
    try:
        await loop.run()
    except Exception:
        log.exception("part_failed")
        signal.raise_signal(signal.SIGTERM)
        raise
