"""Usage comes to what its records say: each counts once, a correction belongs to its record, and only billable days count."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from licensing.billing import Axis, Cadence, Case, Convention, Period, UsageRecord, levels_of, rate
from licensing.billing.usage import snapshot_day

NEW_YORK = Axis(Convention.DAY_ACTUAL, ZoneInfo("America/New_York"))


def seats(on: date, quantity: int, **more: Any) -> UsageRecord:
    return UsageRecord(on=on, quantity=Decimal(quantity), **more)


def rated(usage: list[dict[str, Any]], mode: dict[str, Any], changes: list[dict[str, Any]] | None = None) -> list[Decimal]:
    case = Case.model_validate(
        {
            "terms": {"price": "31.00", "charge": "in_arrears"},
            "policy": {"usage": mode, "suspended_billing": "stop"},
            "start": {"on": "2024-01-01"},
            "changes": changes or [],
            "usage": usage,
        }
    )
    return [line.amount for line in rate(case).lines]


def test_a_record_that_comes_twice_counts_once() -> None:
    record = seats(date(2024, 1, 5), 3, id="a", source="connector")

    assert [level.quantity for level in levels_of([record, record], NEW_YORK)] == [3]


def test_a_record_that_comes_twice_with_another_content_is_refused() -> None:
    records = [seats(date(2024, 1, 5), quantity, id="a", source="connector") for quantity in (3, 4)]

    with pytest.raises(ValueError, match="twice with different content"):
        levels_of(records, NEW_YORK)


def test_a_correction_without_its_record_is_refused() -> None:
    with pytest.raises(ValueError, match="not there to be corrected"):
        levels_of([seats(date(2024, 1, 5), -3, id="b", corrects="a")], NEW_YORK)


def test_an_instant_counts_for_its_local_day() -> None:
    (level,) = levels_of([seats(datetime(2024, 1, 5, 3, tzinfo=UTC), 3)], NEW_YORK)

    assert level.starts == date(2024, 1, 4)


@pytest.mark.parametrize(
    ("mode", "amount"),
    [
        ({"mode": "average_seat_days"}, "131.00"),
        ({"mode": "peak"}, "310.00"),
        ({"mode": "last"}, "124.00"),
        ({"mode": "snapshot", "snapshot": 5}, "186.00"),
    ],
)
def test_two_levels_on_one_day_count_by_the_last_but_the_peak_sees_both(mode: dict[str, Any], amount: str) -> None:
    usage = [{"on": "2024-01-05", "quantity": 10}, {"on": "2024-01-05", "quantity": 6}, {"on": "2024-01-14", "quantity": 5}]
    usage += [{"on": "2024-01-19", "quantity": 4}]

    assert rated(usage, mode) == [Decimal(amount)]


def test_what_is_used_in_a_suspension_without_billing_does_not_count() -> None:
    pause = [{"kind": "suspend", "on": "2024-01-11"}, {"kind": "resume", "on": "2024-01-21"}]
    usage = [{"on": "2024-01-01", "quantity": 1}, {"on": "2024-01-15", "quantity": 50}, {"on": "2024-01-16", "quantity": 2}]

    assert rated(usage, {"mode": "average_seat_days"}, pause) == [Decimal("32.00")]
    assert rated(usage, {"mode": "peak"}, pause) == [Decimal("62.00")]
    assert rated(usage, {"mode": "sum"}, pause) == [Decimal("31.00")]


def test_nothing_used_is_no_line() -> None:
    assert rated([], {"mode": "sum"}) == []


@pytest.mark.parametrize(
    ("starts", "ends", "wanted", "day"),
    [
        ("2025-01-01", "2025-04-01", 15, "2025-03-15"),
        ("2025-01-15", "2025-02-15", 20, "2025-01-20"),
        ("2025-01-01", "2025-03-01", 31, "2025-02-28"),
        ("2025-01-15", "2025-02-15", 31, "2025-01-31"),
    ],
)
def test_the_day_of_a_snapshot_is_the_last_such_day_in_the_period(starts: str, ends: str, wanted: int, day: str) -> None:
    period = Period(date.fromisoformat(starts), date.fromisoformat(ends), Cadence(months=1))

    assert snapshot_day(period, wanted) == date.fromisoformat(day)


def test_trials_are_billed_when_the_policy_says_so() -> None:
    case = Case.model_validate(
        {
            "terms": {"price": "31.00", "charge": "in_arrears"},
            "policy": {"usage": {"trials_billable": True}},
            "trial": {"starts": "2024-01-01", "length": "P10D"},
            "usage": [{"on": "2024-01-01", "quantity": 2}],
        }
    )

    assert [line.amount for line in rate(case).lines] == [Decimal("20.00")]
