"""Health: alive means that the loop runs, ready that every named check holds.

A check that fails or does not answer in time makes the service not ready and nothing else:
why stands in the log, once, when it changes.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec
import structlog

from chassis import metrics

log = structlog.get_logger(__name__)

type Check = Callable[[], Awaitable[bool | None]]
"""Holds unless it answers False or raises."""

PATIENCE: Final = 2.0
"""Seconds that one check may take."""
REMEMBERED: Final = 1.0
"""Seconds for which what was found is good."""


@dataclass(frozen=True, slots=True)
class Readiness:
    checks: Mapping[str, bool]

    @property
    def ready(self) -> bool:
        return all(self.checks.values())

    @property
    def body(self) -> bytes:
        return msgspec.json.encode({"ready": self.ready, "checks": self.checks})


class Health:
    """Whether a process can do its work, by checks that are made when somebody asks."""

    def __init__(self, checks: Mapping[str, Check] | None = None, *, patience: float = PATIENCE, remembered: float = REMEMBERED) -> None:
        self._checks = dict(checks or {})
        self._patience = patience
        self._remembered = remembered
        self._held: dict[str, bool] = {}
        self._looking = asyncio.Lock()
        self._seen: tuple[float, Readiness] | None = None

    def add(self, name: str, check: Check) -> None:
        self._checks[name] = check

    async def look(self) -> Readiness:
        """Ask all checks at once; each has ``patience`` seconds. What was seen is true for a second, however many ask."""
        async with self._looking:
            if self._seen is None or time.monotonic() - self._seen[0] >= self._remembered:
                names = list(self._checks)
                held = await asyncio.gather(*(self._holds(name) for name in names))
                self._seen = time.monotonic(), Readiness(dict(zip(names, held, strict=True)))
            return self._seen[1]

    async def _holds(self, name: str) -> bool:
        failure: Exception | None = None
        try:
            async with asyncio.timeout(self._patience):
                held = await self._checks[name]() is not False
        except Exception as raised:  # noqa: BLE001 - whatever a check raises means that it does not hold
            held, failure = False, raised
        if self._held.get(name) is not held:
            self._held[name] = held
            metrics.READY.labels(name).set(held)
            if held:
                log.info("check_held", check=name)
            else:
                log.warning("check_failed", check=name, failure=repr(failure) if failure else None)
        return held
