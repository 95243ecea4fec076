"""Waiting for something to become true, with a deadline and without sleeping blindly."""

import asyncio
import time
from collections.abc import Awaitable, Callable


async def eventually[T](look: Callable[[], Awaitable[T]], *, within: float = 30.0, every: float = 0.05) -> T:
    """Look again and again until the answer is true, and give it back.

    An ``AssertionError`` while looking counts as *not yet*; the last one is raised when ``within``
    seconds are over.
    """
    deadline = time.monotonic() + within
    last: AssertionError | None = None
    while True:
        try:
            if answer := await look():
                return answer
        except AssertionError as not_yet:
            last = not_yet
        if time.monotonic() > deadline:
            raise last or AssertionError(f"did not become true within {within} s")
        await asyncio.sleep(every)
