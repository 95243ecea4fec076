"""How often a caller may ask: a bucket per caller that fills steadily.

One number per caller says when its bucket will be full again (the generic cell rate
algorithm), so a caller who is not heard of for a while costs nothing.
"""

import math
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Final

from gateway.errors import TooManyRequests

WINDOW: Final = 10.0
"""Seconds of the steady rate that may be asked at once."""
MOST_CALLERS: Final = 50_000


@dataclass(frozen=True, slots=True)
class Standing:
    """How a caller stands after a request, as the headers ``RateLimit`` and ``RateLimit-Policy`` say it."""

    headers: tuple[tuple[bytes, bytes], ...]


class Rate:
    """``per_second`` steadily for each caller, ten seconds' worth of it at once."""

    def __init__(self, name: str, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._clock = clock
        self._each = 1 / per_second
        self._quota = max(math.floor(per_second * WINDOW), 1)
        self._policy = f'"{name}";q={self._quota};w={math.ceil(self._quota * self._each)}'.encode()
        self._full_at: dict[Hashable, float] = {}

    def take(self, caller: Hashable) -> Standing:
        """Take one request out of the caller's bucket.

        Raises:
            TooManyRequests: it is empty.
        """
        now = self._clock()
        known = self._full_at.get(caller)
        full_at = (now if known is None else max(known, now)) + self._each
        left = self._quota - (full_at - now) / self._each
        if left < -1e-6:  # noqa: PLR2004 (rounding of the division, not a figure of ours)
            empty = self._said(0, full_at - self._each - now)
            raise TooManyRequests(retry_after=max(math.ceil(-left * self._each), 1), limit=self._name, headers=empty)
        if known is None and len(self._full_at) >= MOST_CALLERS:
            self._forget(now)
        self._full_at[caller] = full_at
        return Standing(self._said(max(math.floor(left + 1e-6), 0), full_at - now))

    def _said(self, left: int, full_in: float) -> tuple[tuple[bytes, bytes], ...]:
        limit = f'"{self._name}";r={left};t={math.ceil(full_in)}'
        return (b"ratelimit", limit.encode()), (b"ratelimit-policy", self._policy)

    def _forget(self, now: float) -> None:
        """Forget whose bucket is full; where that makes no room, the oldest tenth."""
        self._full_at = {caller: full_at for caller, full_at in self._full_at.items() if full_at > now}
        if len(self._full_at) >= MOST_CALLERS:
            for caller in list(self._full_at)[: MOST_CALLERS // 10]:
                del self._full_at[caller]


def network(address: str) -> str:
    """What counts as one caller: an IPv4 address, or the /64 that one household of IPv6 has."""
    try:
        ip = ip_address(address)
    except ValueError:
        return address
    return str(IPv6Address(int(ip) >> 64 << 64)) if isinstance(ip, IPv6Address) and ip.ipv4_mapped is None else str(ip)
