"""When a trial ends and when its end is announced.

A trial counts whole local days in its pinned zone, the first included, and ends at local
midnight; with ``clock: instant`` it ends as many times 24 hours after its start.
"""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from contracts.licensing.offers import TrialPolicy
from licensing.billing import Cadence, trial_end
from licensing.billing.periods import instant_of, local_date

UTC_NAME: Final = "UTC"


def zone_of(name: str) -> ZoneInfo:
    """The zone of this name; UTC where this machine's database does not know it."""
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return ZoneInfo(UTC_NAME)


def ends_at(policy: TrialPolicy, started_at: datetime, zone: ZoneInfo) -> datetime:
    """The instant at which a trial that starts now is over, in UTC."""
    length = Cadence.parse(policy.duration)
    if policy.clock == "instant":
        return started_at + timedelta(days=length.days)
    return trial_end(local_date(started_at, zone), length, zone).utc


def notices(policy: TrialPolicy, started_at: datetime, ends: datetime, zone: ZoneInfo) -> list[tuple[str, datetime]]:
    """The announcements still to come: how long before (``P7D``) and when."""
    planned = [(notice, _before(notice, ends, zone, instant=policy.clock == "instant")) for notice in policy.notify_before]
    return [(notice, at) for notice, at in planned if at > started_at]


def _before(notice: str, ends: datetime, zone: ZoneInfo, *, instant: bool) -> datetime:
    days = timedelta(days=Cadence.parse(notice).days)
    return ends - days if instant else instant_of(local_date(ends, zone) - days, zone)
