"""How fresh an answer is (BEY-09): up to which instant all that was published has taken effect here.

Ask before reading the rows: what is read afterwards is at least as fresh.
"""

from datetime import datetime
from typing import Final

from chassis.consumers import progress
from chassis.database import Read
from chassis.http.views import View

FOLLOWER: Final = "reporting"
"""The consumer group that keeps this service's read models."""


class FreshnessView(View, frozen=True):
    """All that was published until ``as_of`` is in the answer; both are null until this service has begun to follow."""

    as_of: datetime | None
    lag_seconds: float | None


async def of(read: Read) -> FreshnessView:
    """How fresh what ``read`` finds will be."""
    reached = await progress.as_of(read.connection, FOLLOWER)
    if reached is None:
        return FreshnessView(None, None)
    as_of = min(reached, read.real_now)
    return FreshnessView(as_of, (read.real_now - as_of).total_seconds())
