"""Usage: how many units a period of usage records comes to (V11).

Records are append-only and unique by (source, id); a correction is a record that refers to another and adds its (usually
negative) quantity to it. Except for ``sum``, a record says how many seats are in use from its moment on. Only what lies in
the active stretches counts: before the paid start, after the end, in a trial or a billed-off suspension nothing does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from licensing.billing.money import Exact, Share
from licensing.billing.periods import Period
from licensing.billing.policies import Frozen, UsageMode, UsagePolicy
from licensing.billing.proration import Axis, Moment, local_day


class UsageRecord(Frozen):
    on: Moment
    """From this local date or instant on."""
    quantity: Exact
    """Seats in use from then on; with ``sum`` the amount used; in a correction what to add to the record it corrects."""
    id: str | None = None
    source: str = ""
    corrects: str | None = None
    """Id of the corrected record of the same source."""


@dataclass(frozen=True, slots=True)
class Level:
    """A number of seats from a position on."""

    starts: date
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Stretch:
    """A billable part of a period, [starts, ends) in positions."""

    starts: date
    ends: date


@dataclass(frozen=True, slots=True)
class Metered:
    """A quantity of a share of the unit price: average seat-days are 1 x seat-days of the period's days."""

    quantity: Decimal
    share: Share


def levels_of(records: Sequence[UsageRecord], axis: Axis) -> tuple[Level, ...]:
    """Order the records by time and fold corrections into what they correct. Raises ``ValueError`` on a stray correction."""
    unique: dict[tuple[str, str], UsageRecord] = {}
    for place, record in enumerate(records):
        key = (record.source, record.id if record.id is not None else f"#{place}")
        if unique.setdefault(key, record) != record:
            raise ValueError(f"usage record {record.id} came twice with different content")
    corrected = {key: record.quantity for key, record in unique.items() if record.corrects is None}
    for record in unique.values():
        if record.corrects is None:
            continue
        key = (record.source, record.corrects)
        if key not in corrected:
            raise ValueError(f"usage record {record.corrects} is not there to be corrected")
        corrected[key] += record.quantity
    levels = [Level(axis.position(unique[key].on), quantity) for key, quantity in corrected.items()]
    return tuple(sorted(levels, key=lambda level: level.starts))


def metered(levels: Sequence[Level], period: Period, active: Sequence[Stretch], policy: UsagePolicy, axis: Axis) -> Metered:
    """Say what a period of usage comes to. Raises ``ValueError`` when a snapshot's day is not in the period."""
    whole = axis.share(period, axis.position(period.starts), axis.position(period.ends))
    if policy.mode is UsageMode.AVERAGE_SEAT_DAYS:
        return Metered(Decimal(1), _seat_days(levels, period, active, axis))
    if policy.mode is UsageMode.SUM:
        inside = [level.quantity for level in levels if any(part.starts <= level.starts < part.ends for part in active)]
        return Metered(sum(inside, Decimal(0)), whole)
    if policy.mode is UsageMode.PEAK:
        return Metered(max((_highest(levels, part) for part in active), default=Decimal(0)), whole)
    if policy.mode is UsageMode.LAST:
        return Metered(_level_before(levels, active[-1].ends) if active else Decimal(0), whole)
    day = snapshot_day(period, policy.snapshot)
    counted = any(local_day(part.starts, axis) <= day < local_day(part.ends, axis) for part in active)
    after = axis.position(day + timedelta(days=1))
    return Metered(_level_before(levels, after) if counted else Decimal(0), whole)


def snapshot_day(period: Period, wanted: date | int | None) -> date:
    """Give the date of a snapshot: the last one in the period with that day of the month, clamped to short months."""
    if isinstance(wanted, date):
        if not period.starts <= wanted < period.ends:
            raise ValueError(f"{wanted} is not in [{period.starts}, {period.ends})")
        return wanted
    days = (period.ends - timedelta(days=back) for back in range(1, (period.ends - period.starts).days + 1))
    for day in days:
        ends_month = (day + timedelta(days=1)).day == 1
        if day.day == wanted or (ends_month and wanted is not None and day.day < wanted):
            return day
    raise ValueError(f"no day {wanted} in [{period.starts}, {period.ends})")


def _seat_days(levels: Sequence[Level], period: Period, active: Sequence[Stretch], axis: Axis) -> Share:
    total = Fraction(0)
    denominator = axis.share(period, axis.position(period.starts), axis.position(period.ends)).denominator
    for part in active:
        cuts = sorted({part.starts, part.ends, *(level.starts for level in levels if part.starts < level.starts < part.ends)})
        for starts, ends in pairwise(cuts):
            total += axis.share(period, starts, ends).numerator * Fraction(_level_at(levels, starts))
    return Share(total.numerator, denominator * total.denominator)


def _highest(levels: Sequence[Level], part: Stretch) -> Decimal:
    inside = [level.quantity for level in levels if part.starts <= level.starts < part.ends]
    begun_on_a_level = any(level.starts == part.starts for level in levels)
    carried = Decimal(0) if begun_on_a_level else _level_at(levels, part.starts)
    return max([carried, *inside])


def _level_at(levels: Sequence[Level], position: date) -> Decimal:
    return next((level.quantity for level in reversed(levels) if level.starts <= position), Decimal(0))


def _level_before(levels: Sequence[Level], position: date) -> Decimal:
    return next((level.quantity for level in reversed(levels) if level.starts < position), Decimal(0))
