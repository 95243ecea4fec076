"""Proration: which share of a whole period a part of it is, by the convention that the policy chose.

Each convention gives every moment of a period a position between 0 and the denominator; a part is the difference of two
positions. So neighbouring parts always add up, and the whole period is always the whole price.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, Discriminator, Tag, WithJsonSchema

from licensing.billing.money import Share
from licensing.billing.periods import Grid, Period, instant_of, local_date

DAYS_A_MONTH = 30
DAYS_A_YEAR = 360


class Convention(StrEnum):
    """How days are counted.

    ``day_actual``: actual days over the days of that period, the day of a change belongs to the new state.
    ``day_inclusive``: the same, but the day on which use ends is counted too (V10).
    ``day_30``: every month has 30 days (30E/360: day 31 counts as 30) (V03); a period that is given in days keeps its days.
    ``second``: seconds between instants over the seconds of the period (V08).
    """

    DAY_ACTUAL = "day_actual"
    DAY_INCLUSIVE = "day_inclusive"
    DAY_30 = "day_30"
    SECOND = "second"


def _kind_of_moment(value: Any) -> str:
    if isinstance(value, datetime) or (isinstance(value, str) and "T" in value):
        return "instant"
    return "day"


Moment = Annotated[
    Annotated[date, Tag("day")] | Annotated[AwareDatetime, Tag("instant")],
    Discriminator(_kind_of_moment),
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}),
]
"""A local date ("2025-04-11"), or an instant with its offset ("2025-04-11T10:00:00Z")."""


@dataclass(frozen=True, slots=True)
class Axis:
    """The line on which a convention places moments: local dates, or instants for ``second``."""

    convention: Convention
    zone: ZoneInfo

    def position(self, moment: date) -> date:
        """Place a moment: an instant becomes its local date, or with ``second`` a date becomes its first instant."""
        if self.convention is Convention.SECOND:
            return self.instant(moment)
        return local_date(moment, self.zone) if isinstance(moment, datetime) else moment

    def instant(self, moment: date) -> datetime:
        return moment.astimezone(UTC) if isinstance(moment, datetime) else instant_of(moment, self.zone)

    def end_of_use(self, moment: date) -> date:
        """Place the end of something that ends on a day: with ``day_inclusive`` that day still counts."""
        position = self.position(moment)
        return position + timedelta(days=1) if self.convention is Convention.DAY_INCLUSIVE else position

    def share(self, period: Period, starts: date, ends: date) -> Share:
        """Give the share of [starts, ends), two positions within the period. Raises ``ValueError`` outside of it."""
        if not self.position(period.starts) <= starts <= ends <= self.position(period.ends):
            raise ValueError(f"[{starts}, {ends}) is no part of [{period.starts}, {period.ends})")
        first, last = (self._count(period, moment) for moment in (starts, ends))
        return Share(last - first, self._count(period, self.position(period.ends)))

    def _count(self, period: Period, position: date) -> int:
        if isinstance(position, datetime):
            return (position - self.instant(period.starts)) // timedelta(seconds=1)
        if self.convention is not Convention.DAY_30 or period.cadence.days:
            return (position - period.starts).days
        whole = period.cadence.months * DAYS_A_MONTH
        # A clamped anchor day (28 February for the 31st) would leave a month with 28 or 33 of its 30 days.
        return whole if position == period.ends else min(_days_30(period.starts, position), whole)


def ratio_between(grid: Grid, starts: date, ends: date, axis: Axis) -> Fraction:
    """Say how many periods lie in [starts, ends): the sum of the shares of every period touched (V04, V05)."""
    position, end = axis.position(starts), axis.end_of_use(ends)
    if end < position:
        raise ValueError(f"{ends} is before {starts}")
    total = Fraction(0)
    while position < end:
        period = grid.containing(local_day(position, axis))
        until = min(end, axis.position(period.ends))
        total += axis.share(period, position, until).fraction
        position = until
    return total


def local_day(position: date, axis: Axis) -> date:
    return local_date(position, axis.zone) if isinstance(position, datetime) else position


def _days_30(starts: date, ends: date) -> int:
    years, months = ends.year - starts.year, ends.month - starts.month
    return years * DAYS_A_YEAR + months * DAYS_A_MONTH + min(ends.day, DAYS_A_MONTH) - min(starts.day, DAYS_A_MONTH)
