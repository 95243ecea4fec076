"""Waiting for what has not arrived yet, holding nothing meanwhile.

A request may say what it has written, or come from a user of whom the log has not told here
yet. It waits outside of any transaction, for two seconds at most, and only so many may wait at
once: whoever comes beyond that is answered as things are, so that nobody's waiting keeps
others from being served.
"""

import asyncio
import time
from collections import Counter
from typing import Final
from uuid import UUID

LONGEST: Final = 2.0
"""Seconds."""
MOST: Final = 256
MOST_OF_ONE: Final = 16
PAUSE: Final = 0.05
"""Seconds between two looks."""

_waiting: Counter[UUID] = Counter()


class Patience:
    """How long one request may go on waiting. ``partner_id`` is whose request it is."""

    def __init__(self, partner_id: UUID) -> None:
        self._partner_id = partner_id
        self._deadline = time.monotonic() + LONGEST

    @property
    def over(self) -> bool:
        """Whether to answer now: it has waited long enough, or too many wait already."""
        crowded = _waiting[self._partner_id] >= MOST_OF_ONE or _waiting.total() >= MOST
        return crowded or time.monotonic() >= self._deadline

    async def pause(self) -> None:
        """Wait a little."""
        _waiting[self._partner_id] += 1
        try:
            await asyncio.sleep(PAUSE)
        finally:
            _waiting[self._partner_id] -= 1
            if not _waiting[self._partner_id]:
                del _waiting[self._partner_id]
