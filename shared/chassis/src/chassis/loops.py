"""Loops: what a process does in the background, until it is asked to end; then each finishes what it has in hand.

A loop that ends by itself is a bug, and the process must not go on without it.
"""

import asyncio
import logging
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final, Protocol

import structlog

from chassis import logs
from chassis.failures import OUTSIDE, reason_of

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


async def pause(stopping: asyncio.Event, seconds: float) -> None:
    """Wait so long, or until it is time to stop."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), timeout=seconds)


class Periodic(ABC):
    """A loop that looks every so many seconds. What the world does to a look is said, and the next one is on time.

    Where nothing ``matters`` that a look would have shown, failures make nobody unready.
    """

    def __init__(self, name: str, seconds: float, *, matters: bool = True) -> None:
        self.name: Final = name
        self.seconds = seconds
        self.failures = 0
        """Failures in a row; 0 while all is well (readiness)."""
        self._matters = matters
        self._stopping = asyncio.Event()

    @abstractmethod
    async def look(self) -> object:
        """Look once; True when there is more to do at once."""

    async def run(self) -> None:
        while not self._stopping.is_set():
            if await self._once() is not True:
                await pause(self._stopping, self.seconds)

    def stop(self) -> None:
        """Ask the loop to end after the look in hand."""
        self._stopping.set()

    async def _once(self) -> object:
        try:
            found = await self.look()
        except OUTSIDE as failure:
            self.failures += self._matters
            log.log(logging.WARNING if self._matters else logging.INFO, "part_interrupted", part=self.name, reason=reason_of(failure))
            return False
        self.failures = 0
        return found


class Loops:
    """The loops of one process."""

    def __init__(self, loops: Sequence[Loop]) -> None:
        self._loops = loops
        self.failed = False
        """Whether one of them ended by itself."""
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
        tasks = [asyncio.create_task(self._run(loop), name=loop.name) for loop in self._loops]
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

    async def _run(self, loop: Loop) -> None:
        logs.bind(part=loop.name)
        try:
            await loop.run()
        except Exception:
            log.exception("part_failed")
            self.failed = True
        finally:
            if self._until is None:
                log.error("part_ended")
                self.failed = True
                signal.raise_signal(signal.SIGTERM)
