"""Trying again: how long to wait, and what is worth it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from chassis.failures import Verdict, judge


def backoff(failures: int, waits: Sequence[float]) -> float:
    """Seconds to wait after so many failures in a row: the last of ``waits`` from then on."""
    return waits[min(max(failures, 1), len(waits)) - 1]


async def patiently[T](do: Callable[[], Awaitable[T]], waits: Sequence[float]) -> T:
    """Do something, and again after each of these waits where the world was in the way."""
    for wait in waits:
        try:
            return await do()
        except Exception as failure:
            if judge(failure) is not Verdict.PASSING:
                raise
            await asyncio.sleep(wait)
    return await do()
