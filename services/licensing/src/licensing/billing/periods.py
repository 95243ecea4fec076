"""Periods: half-open [from, to) stretches of local dates that follow each other without a gap, and the end of a trial.

Every boundary is computed from the grid's origin and anchor day, never from the boundary before it: a day 29..31 is
clamped to a short month and comes back in the next long one. Daylight saving never changes a day count, because a
boundary is a date; its instant is the first moment of that date in the subscription's zone.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

_DURATION = re.compile(r"P(?:(?P<years>\d{1,3})Y)?(?:(?P<months>\d{1,4})M)?(?:(?P<weeks>\d{1,4})W)?(?:(?P<days>\d{1,5})D)?")
MONTHS_A_YEAR = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """A length in whole calendar months or in whole days, not both: P1M, P3M, P1Y, P30D."""

    months: int = 0
    days: int = 0

    def __post_init__(self) -> None:
        if min(self.months, self.days) < 0 or (self.months > 0) == (self.days > 0):
            raise ValueError("a length has either months or days, and at least one")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an ISO 8601 duration in years and months, or in weeks and days. Raises ``ValueError``."""
        found = _DURATION.fullmatch(text)
        if not found:
            raise ValueError(f"{text} is no duration in years and months, or in weeks and days")
        years, months, weeks, days = (int(found[part] or 0) for part in ("years", "months", "weeks", "days"))
        return cls(months=years * MONTHS_A_YEAR + months, days=weeks * 7 + days)

    def __str__(self) -> str:
        if self.days:
            return f"P{self.days}D"
        years, months = divmod(self.months, MONTHS_A_YEAR)
        return f"P{years}Y" if not months else f"P{self.months}M"

    def after(self, day: date) -> date:
        return Grid(origin=day, anchor_day=day.day, cadence=self).boundary(1)

    def is_shorter_than(self, other: Self) -> bool:
        return self._typical_days < other._typical_days

    @property
    def _typical_days(self) -> int:
        return self.days or self.months * 365 // MONTHS_A_YEAR


def _parse_cadence(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return Cadence.parse(value)
    except ValueError as problem:
        raise PydanticCustomError("duration", "{problem}", {"problem": str(problem)}) from problem


Length = Annotated[
    Cadence,
    BeforeValidator(_parse_cadence),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^P(\d+Y)?(\d+M)?(\d+W)?(\d+D)?$", "examples": ["P1M", "P3M", "P1Y", "P30D"]}),
]


@dataclass(frozen=True, slots=True)
class Period:
    """One whole period [starts, ends) of a grid."""

    starts: date
    ends: date
    cadence: Cadence


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """All periods of one rhythm: boundary 0 lies in the origin's month, on the anchor day."""

    origin: date
    anchor_day: int
    cadence: Cadence

    @classmethod
    def starting(cls, day: date, cadence: Cadence, anchor_day: int | None = None) -> Self:
        """Give the grid whose first boundary at or after ``day`` falls on the anchor day (by default on ``day`` itself)."""
        if anchor_day is None or cadence.days:
            return cls(origin=day, anchor_day=day.day, cadence=cadence)
        grid = cls(origin=day, anchor_day=anchor_day, cadence=cadence)
        if grid.boundary(0) >= day:
            return grid
        return cls(origin=_month_after(day, 1, 1), anchor_day=anchor_day, cadence=cadence)

    def boundary(self, number: int) -> date:
        if self.cadence.days:
            return self.origin + timedelta(days=self.cadence.days * number)
        return _month_after(self.origin, self.cadence.months * number, self.anchor_day)

    def containing(self, day: date) -> Period:
        """Give the period in which a day lies; a boundary belongs to the period that it begins."""
        number = self._near(day)
        while self.boundary(number) > day:
            number -= 1
        while self.boundary(number + 1) <= day:
            number += 1
        return Period(self.boundary(number), self.boundary(number + 1), self.cadence)

    def _near(self, day: date) -> int:
        if self.cadence.days:
            return (day - self.origin).days // self.cadence.days
        months = (day.year - self.origin.year) * MONTHS_A_YEAR + day.month - self.origin.month
        return months // self.cadence.months


@dataclass(frozen=True, slots=True)
class TrialEnd:
    """When a trial is over: the wall clock in its zone, and the instant."""

    local: datetime
    utc: datetime


def instant_of(day: date, zone: ZoneInfo) -> datetime:
    """Give the first moment of a local date, in UTC (where midnight is skipped, the moment of the change)."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def local_date(instant: datetime, zone: ZoneInfo) -> date:
    return instant.astimezone(zone).date()


def trial_end(starts_on: date, length: Cadence, zone: ZoneInfo) -> TrialEnd:
    """Give the end of a trial of whole local days, its first day included (vector V13)."""
    ends_on = length.after(starts_on)
    return TrialEnd(local=datetime.combine(ends_on, time()), utc=instant_of(ends_on, zone))


def trial_end_at(instant: datetime, zone: ZoneInfo) -> TrialEnd:
    """Give the end of a trial that ends at an instant."""
    return TrialEnd(local=instant.astimezone(zone).replace(tzinfo=None), utc=instant.astimezone(UTC))


def _month_after(day: date, months: int, anchor_day: int) -> date:
    year, month = divmod(day.year * MONTHS_A_YEAR + day.month - 1 + months, MONTHS_A_YEAR)
    return date(year, month + 1, min(anchor_day, monthrange(year, month + 1)[1]))
