"""Waking: how a relay that has nothing to do learns of a commit at once, without costing busy writers anything.

A relay that finds nothing holds the bell, an advisory lock. A transaction that writes to the
outbox (trigger ``outbox_rings``) tries to share it: where it can, the relay is busy and looks
again by itself; where it cannot, the relay sleeps and is notified with the commit. The share
lasts until the transaction's end, so the relay cannot fall asleep between another's write and
its commit: whoever did not ring has been seen. A bell goes with its connection, so nobody
rings for a relay that is gone.

NOTIFY makes commits wait for one another; in every transaction it costs most of them.
"""

import asyncio
from contextlib import suppress
from typing import Any, Final

import asyncpg

from chassis.database.locks import Lock

CHANNEL: Final = "outbox"

_POLL: Final = 0.25
_BREATH: Final = 0.005
_LONGEST_BREATH: Final = 0.05
_ANSWER_WITHIN: Final = 5.0


class Bell:
    """Held while its relay sleeps. ``rung`` may be set from elsewhere too, to end a sleep."""

    def __init__(self, connection: "asyncpg.Connection[Any]", rung: asyncio.Event) -> None:
        self._connection = connection
        self._rung = rung
        self._held = False
        self._breath = _BREATH

    async def listen(self) -> None:
        """From now on it rings; the end of the connection ends a sleep too."""
        self._connection.add_termination_listener(self._ring)
        await self._connection.add_listener(CHANNEL, self._ring)

    async def wake(self) -> None:
        """There is something to do: nobody need ring."""
        self._breath = _BREATH
        if self._held:
            await self._connection.execute("select pg_advisory_unlock($1)", Lock.BELL, timeout=_ANSWER_WITHIN)
            self._held = False

    async def rest(self) -> None:
        """There is nothing to do. At first take the bell and return, to look once more; then sleep until it rings, at most 250 ms."""
        if self._held:
            await self._sleep(_POLL)
        elif await self._connection.fetchval("select pg_try_advisory_lock($1)", Lock.BELL, timeout=_ANSWER_WITHIN):
            self._held = True
        else:
            await self._sleep(self._breath)
            self._breath = min(2 * self._breath, _LONGEST_BREATH)

    async def _sleep(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._rung.wait(), timeout=seconds)
        self._rung.clear()

    def _ring(self, *_notification: object) -> None:
        self._rung.set()
