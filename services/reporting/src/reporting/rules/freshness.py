"""How fresh an answer is (BEY-09): up to which instant all that was published has taken effect here.

Ask before reading the rows: what is read afterwards is at least as fresh.
"""

from datetime import datetime
from typing import Final

import msgspec

from chassis.consumers import progress
from chassis.database import Read

FOLLOWER: Final = "reporting"
"""The consumer group that keeps this service's read models."""


class Freshness(msgspec.Struct, frozen=True):
    """Both are null until this service has begun to follow."""

    as_of: datetime | None
    lag_seconds: float | None


async def of(read: Read) -> Freshness:
    """How fresh what ``read`` finds will be."""
    reached = await progress.as_of(read.connection, FOLLOWER)
    if reached is None:
        return Freshness(None, None)
    as_of = min(reached, read.now)
    return Freshness(as_of, (read.now - as_of).total_seconds())
