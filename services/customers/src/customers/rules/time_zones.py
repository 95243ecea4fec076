"""Time zones: whether a clock is put forward and back (CUS-08)."""

from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo


@lru_cache(maxsize=2048)
def observes_daylight_saving(name: str, year: int) -> bool:
    """Whether the zone has daylight saving time in some week of the year, as the IANA database knows it."""
    first = datetime(year, 1, 1, 12, tzinfo=ZoneInfo(name))
    return any((first + timedelta(weeks=week)).dst() for week in range(53))
