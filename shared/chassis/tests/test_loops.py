"""A part of a process that ends by itself ends the process, and not well; what the world does to one is waited for."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable

import pytest

from chassis.loops import Loops, Periodic
from chassis_testing.waiting import eventually


class Part:
    """Runs until it is stopped, or until something befalls it."""

    def __init__(self, befalls: Callable[[], None] | None = None) -> None:
        self.name = "part"
        self.failures = 0
        self._befalls = befalls
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        if self._befalls is not None:
            self._befalls()
            return
        await self._stopping.wait()

    def stop(self) -> None:
        self._stopping.set()


class Looking(Periodic):
    """Meets these failures, then nothing."""

    def __init__(self, *failures: Exception, matters: bool = True) -> None:
        super().__init__("looking", 0.01, matters=matters)
        self._failures = [*failures]
        self.looks = 0
        self.most = 0

    async def look(self) -> None:
        self.most = max(self.most, self.failures)
        self.looks += 1
        if self._failures:
            raise self._failures.pop()


@pytest.fixture
async def asked_to_end() -> AsyncIterator[asyncio.Event]:
    """The process is asked to end, as an operator would."""
    asked = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asked.set)
    yield asked
    asyncio.get_running_loop().remove_signal_handler(signal.SIGTERM)


def _fail() -> None:
    raise KeyError("ours")


def _cancelled() -> None:
    raise asyncio.CancelledError


@pytest.mark.parametrize("befalls", [_fail, _cancelled, lambda: None], ids=["fails", "is cancelled", "returns"])
async def test_a_part_that_ends_by_itself_ends_the_process(asked_to_end: asyncio.Event, befalls: Callable[[], None]) -> None:
    loops = Loops([Part(), Part(befalls)])

    async with asyncio.timeout(5), loops.running():
        await asked_to_end.wait()

    assert loops.failed


async def test_parts_that_are_asked_to_end_end_well(asked_to_end: asyncio.Event) -> None:
    loops = Loops([Part(), Part()])

    async with asyncio.timeout(5), loops.running():
        """They have nothing to do."""

    assert (loops.failed, asked_to_end.is_set()) == (False, False)


@pytest.mark.parametrize(("matters", "most"), [(True, 2), (False, 0)])
async def test_what_the_world_does_is_counted_where_it_matters_and_waited_for(matters: bool, most: int) -> None:  # noqa: FBT001
    looking = Looking(OSError("away"), TimeoutError(), matters=matters)
    running = asyncio.create_task(looking.run())

    async def looked() -> bool:
        return looking.looks > 3

    await eventually(looked)
    looking.stop()
    await running

    assert (looking.most, looking.failures) == (most, 0)


async def test_a_bug_is_not_waited_for() -> None:
    with pytest.raises(KeyError):
        await Looking(KeyError("ours")).run()
