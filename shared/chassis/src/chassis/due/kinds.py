"""Kinds of due work: what is done for each, and how it asks to be tried later."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from chassis.database.transaction import Transaction

_SOON: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class DueItem:
    """One piece of work whose time has come."""

    id: UUID
    subject: UUID
    slot: str
    due_at: datetime
    attempts: int
    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Due:
    """What is done for one kind of due work."""

    kind: str
    handle: Callable[[Transaction, DueItem], Awaitable[None]]
    outside: timedelta = timedelta(0)
    """How long the handler may wait for somebody else, such as a mail server, while its transaction is open."""


class Retry(Exception):
    """Not now: try again, later each time. ``reason`` is kept with the row."""

    def __init__(self, reason: str, *, after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.after = after

    @classmethod
    def soon(cls, reason: str, item: DueItem) -> "Retry":
        """What will pass by itself: never longer than half a minute until the next try."""
        return cls(reason, after=min(timedelta(seconds=2 ** min(item.attempts, 5)), _SOON))
