"""What keeps a service that is down from being asked in vain, and from being asked twice as much when it comes back.

A circuit opens after five failures in a row and lets one request a second through until one succeeds.
Retries are at most a tenth of the requests, with ten in hand.
"""

import time
from collections.abc import Callable
from typing import Final

THRESHOLD: Final = 5
PAUSE: Final = 1.0
SHARE: Final = 0.1
IN_HAND: Final = 10.0


class Circuit:
    """One service's: open, nobody is sent there for a while."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._closed_until = 0.0

    @property
    def open(self) -> bool:
        return self._failures >= THRESHOLD

    def admits(self) -> bool:
        """Whether a request may be sent. While the circuit is open, one per pause may: the probe."""
        if not self.open:
            return True
        now = self._clock()
        if now < self._closed_until:
            return False
        self._closed_until = now + PAUSE
        return True

    def succeeded(self) -> None:
        self._failures = 0

    def failed(self) -> None:
        self._failures += 1
        self._closed_until = self._clock() + PAUSE


class RetryBudget:
    """How many retries one service is still good for: they follow the requests, so that an outage is not made worse."""

    def __init__(self) -> None:
        self._left = IN_HAND

    def earn(self) -> None:
        """A request was made: a tenth of a retry."""
        self._left = min(self._left + SHARE, IN_HAND)

    def spend(self) -> bool:
        """Whether one more retry may be made."""
        if self._left < 1:
            return False
        self._left -= 1
        return True
