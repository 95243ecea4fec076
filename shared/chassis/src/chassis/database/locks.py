"""Advisory locks: every number that is locked stands here, because a database's share one space.

What a service locks by itself has a name instead (``alone``), whose hash is the number.
"""

from enum import IntEnum, unique
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_ALONE: Final = text("select pg_advisory_xact_lock(hashtextextended(:name, 0))")
"""In a statement of its own: what the one before committed is visible only to a statement that begins after it."""


@unique
class Lock(IntEnum):
    """Held by one process at a time. Another release may run beside this one, so a number never changes."""

    MIGRATING = 7_041_776
    LEADING = 7_041_777
    """The relay that publishes, for as long as it lives."""
    BELL = 7_041_778
    """A relay that sleeps; the outbox's trigger asks for it too."""
    SEALING = 7_041_779


async def alone(session: AsyncSession, name: str) -> None:
    """Wait until nobody else does what has this name, and keep it from others until the transaction ends."""
    await session.execute(_ALONE, {"name": name})
