"""Periods never drift and never leave a gap, and a day is a day whatever the clocks do."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from licensing.billing import Axis, Cadence, Convention, Grid, Period, Terms, grid_of, trial_end, trial_end_at


def boundaries(starts: date, cadence: str, anchor_day: int | None = None, count: int = 5) -> list[str]:
    grid = Grid.starting(starts, Cadence.parse(cadence), anchor_day)
    return [grid.boundary(number).isoformat() for number in range(count)]


def test_a_clamped_anchor_day_comes_back() -> None:
    assert boundaries(date(2024, 1, 31), "P1M") == ["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30", "2024-05-31"]
    assert boundaries(date(2025, 2, 28), "P1M", anchor_day=31, count=3) == ["2025-02-28", "2025-03-31", "2025-04-30"]
    assert boundaries(date(2096, 2, 29), "P1Y") == ["2096-02-29", "2097-02-28", "2098-02-28", "2099-02-28", "2100-02-28"]


def test_a_start_between_boundaries_lies_in_the_period_that_ends_at_the_next_one() -> None:
    grid = Grid.starting(date(2024, 3, 5), Cadence.parse("P1M"), anchor_day=1)

    assert grid.containing(date(2024, 3, 5)) == Period(date(2024, 3, 1), date(2024, 4, 1), Cadence(months=1))


def test_a_quarter_may_be_anchored_to_the_calendar() -> None:
    grid = grid_of(Terms(price="1", period="P3M", anchor="2025-01-01"), date(2025, 5, 20))  # type: ignore[arg-type]  # as from JSON

    assert grid.containing(date(2025, 5, 20)).starts == date(2025, 4, 1)
    assert grid.containing(date(2024, 12, 31)).starts == date(2024, 10, 1)


@pytest.mark.parametrize(("written", "normal"), [("P12M", "P1Y"), ("P1Y6M", "P18M"), ("P2W", "P14D"), ("P30D", "P30D")])
def test_lengths_are_read_from_iso_durations(written: str, normal: str) -> None:
    assert str(Cadence.parse(written)) == normal


@pytest.mark.parametrize("written", ["P", "", "P0D", "1M", "P1M1D", "PT1H", "P-1M", "P1.5M", "P99999999D"])
def test_what_is_no_length_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"length|duration"):
        Cadence.parse(written)


def test_a_trial_lasts_whole_local_days_through_the_change_of_clocks() -> None:
    ends = trial_end(date(2025, 1, 31), Cadence.parse("P60D"), ZoneInfo("America/New_York"))

    assert ends.local == datetime(2025, 4, 1)  # noqa: DTZ001 - a wall clock
    assert ends.utc == datetime(2025, 4, 1, 4, tzinfo=UTC)


def test_a_trial_may_end_at_an_instant() -> None:
    ends = trial_end_at(datetime(2025, 4, 1, 4, 30, tzinfo=UTC), ZoneInfo("America/New_York"))

    assert (ends.local, ends.utc) == (datetime(2025, 4, 1, 0, 30), datetime(2025, 4, 1, 4, 30, tzinfo=UTC))  # noqa: DTZ001 - a wall clock


def test_a_day_without_midnight_begins_when_the_clocks_have_changed() -> None:
    beirut = Axis(Convention.SECOND, ZoneInfo("Asia/Beirut"))
    assert beirut.instant(date(2024, 3, 31)) == datetime(2024, 3, 30, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("convention", "starts", "ends", "numerator", "denominator"),
    [
        ("day_actual", "2024-02-01", "2024-02-11", 10, 29),
        ("day_30", "2024-02-01", "2024-02-11", 10, 30),
        ("day_30", "2024-02-11", "2024-03-01", 20, 30),
        ("day_30", "2024-02-01", "2024-03-01", 30, 30),
    ],
)
def test_a_share_is_counted_by_its_convention(convention: str, starts: str, ends: str, numerator: int, denominator: int) -> None:
    period = Period(date(2024, 2, 1), date(2024, 3, 1), Cadence(months=1))
    share = Axis(Convention(convention), ZoneInfo("UTC")).share(period, date.fromisoformat(starts), date.fromisoformat(ends))

    assert (share.numerator, share.denominator) == (numerator, denominator)


def test_thirty_day_months_stay_whole_where_the_anchor_day_is_clamped() -> None:
    axis = Axis(Convention.DAY_30, ZoneInfo("UTC"))
    period = Period(date(2025, 1, 31), date(2025, 2, 28), Cadence(months=1))
    cut = date(2025, 2, 15)
    parts = [axis.share(period, period.starts, cut), axis.share(period, cut, period.ends)]

    assert [part.numerator for part in parts] == [15, 15]
    assert {part.denominator for part in parts} == {30}


def test_a_day_of_23_hours_is_a_shorter_part_only_by_the_second() -> None:
    period = Period(date(2025, 3, 1), date(2025, 4, 1), Cadence(months=1))
    by_second = Axis(Convention.SECOND, ZoneInfo("America/New_York"))
    share = by_second.share(period, by_second.position(date(2025, 3, 9)), by_second.position(date(2025, 3, 10)))

    assert share.numerator == 23 * 3600
    assert Axis(Convention.DAY_ACTUAL, ZoneInfo("America/New_York")).share(period, date(2025, 3, 9), date(2025, 3, 10)).numerator == 1


def test_what_lies_outside_of_a_period_has_no_share_in_it() -> None:
    period = Period(date(2025, 3, 1), date(2025, 4, 1), Cadence(months=1))

    with pytest.raises(ValueError, match="no part of"):
        Axis(Convention.DAY_ACTUAL, ZoneInfo("UTC")).share(period, date(2025, 3, 9), date(2025, 4, 2))
