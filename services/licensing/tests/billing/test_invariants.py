"""What holds for every subscription, whatever happens to it: the invariants of the rating rules that are pure arithmetic (BEY-06)."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as some

from licensing.billing import Case, Grid, Line, Rating, RoundingOrder, allocate, minor_units, rate, recompute
from licensing.billing.lines import worth_of
from licensing.billing.periods import Cadence

examined = settings(max_examples=80, deadline=None)

JANUARY = date(2024, 1, 1)


def counted(pair: tuple[str, str]) -> dict[str, Any]:
    return {"convention": pair[0], "rounding": pair[1]}


def with_counting(policy: dict[str, Any]) -> dict[str, Any]:
    return {**counted(policy.pop("counting")), **policy}


prices = some.one_of(some.decimals(0, "0.1", places=4), some.decimals(0, 99_999, places=4)).map(str)
currencies = some.sampled_from(["EUR", "JPY", "KWD"])
day_conventions = some.sampled_from(["day_actual", "day_inclusive", "day_30"])
conventions = some.sampled_from(["day_actual", "day_inclusive", "day_30", "second"])
orders = some.sampled_from(list(RoundingOrder)).map(str)
days = some.integers(min_value=0, max_value=200).map(lambda days: JANUARY + timedelta(days=days))
quantities = some.integers(min_value=0, max_value=60)
quantity_changes = some.fixed_dictionaries({"kind": some.just("quantity"), "on": days, "to": quantities})
plan_changes = some.fixed_dictionaries(
    {"kind": some.just("plan"), "on": days, "price": prices}, optional={"period": some.sampled_from(["P1M", "P3M", "P1Y"])}
)
other_changes = some.fixed_dictionaries({"kind": some.sampled_from(["suspend", "resume", "split", "cancel", "terminate"]), "on": days})
counting = some.tuples(conventions, orders).filter(lambda pair: pair != ("second", "day_rate_then_days"))
policies = some.fixed_dictionaries(
    {
        "counting": counting,
        "change_lines": some.sampled_from(["delta", "credit_and_recharge"]),
        "decrease": some.sampled_from(["immediate", "next_cycle", "next_renewal", "blocked"]),
        "suspended_billing": some.sampled_from(["continue", "stop", "credit"]),
        "cancel": some.sampled_from([None, {}, {"window": "P30D", "refund": {"unit": "PT5H", "first_unit_free": False}}]),
        "minimum": some.sampled_from([None, {"amount": "100"}, {"quantity": 5}]),
    }
).map(lambda policy: with_counting(dict(policy)))
terms = some.fixed_dictionaries(
    {
        "price": prices,
        "period": some.sampled_from(["P1M", "P3M", "P1Y", "P30D"]),
        "charge": some.sampled_from(["in_advance", "in_arrears"]),
    },
    optional={"anchor_day": some.integers(min_value=1, max_value=31)},
)


@some.composite
def cases(draw: some.DrawFn) -> Case:
    changes = draw(some.lists(some.one_of(quantity_changes, quantity_changes, plan_changes, other_changes), max_size=8))
    return Case.model_validate(
        {
            "currency": draw(currencies),
            "terms": draw(terms),
            "policy": draw(policies),
            "start": {"on": JANUARY, "quantity": draw(quantities)},
            "changes": changes,
        }
    )


def a_case(changes: list[dict[str, Any]], *, policy: dict[str, Any] | None = None, **given: Any) -> Case:
    return Case.model_validate(
        {
            "currency": given.get("currency", "EUR"),
            "zone": given.get("zone", "UTC"),
            "terms": {"price": given.get("price", "51.93"), "charge": given.get("charge", "in_advance")},
            "policy": {"decrease": "immediate", **(policy or {})},
            "start": {"on": JANUARY, "quantity": given.get("quantity", 10)},
            "changes": changes,
        }
    )


def by(count: int, on: date) -> dict[str, Any]:
    return {"kind": "quantity", "on": on, "by": count}


def before_rounding(rating: Rating) -> Fraction:
    return sum((worth_of(line).exact for line in rating.lines), Fraction(0))


@examined
@given(
    prices,
    currencies,
    some.sampled_from(["day_actual", "day_inclusive", "day_30"]),
    orders,
    some.lists(some.integers(min_value=1, max_value=30), max_size=6),
)
def test_the_parts_of_a_split_add_up_to_the_whole(price: str, currency: str, convention: str, order: str, cuts: list[int]) -> None:
    policy = {"convention": convention, "rounding": order}
    splits = [{"kind": "split", "on": JANUARY + timedelta(days=cut)} for cut in cuts]
    undivided = rate(a_case([], policy=policy, price=price, currency=currency, charge="in_arrears"))
    divided = rate(a_case(splits, policy=policy, price=price, currency=currency, charge="in_arrears"))

    assert divided.net == undivided.net


@examined
@given(prices, currencies, counting, some.integers(1, 50) | some.integers(-10, -1), some.integers(0, 30))
def test_doing_and_undoing_at_one_moment_nets_to_nothing(price: str, currency: str, counting: tuple[str, str], step: int, day: int) -> None:
    on = JANUARY + timedelta(days=day)
    given_so: dict[str, Any] = {"policy": counted(counting), "price": price, "currency": currency}

    assert rate(a_case([by(step, on), by(-step, on)], **given_so)).net == rate(a_case([], **given_so)).net


@examined
@given(prices, prices, currencies, conventions, some.integers(0, 30))
def test_a_plan_change_taken_back_at_once_nets_to_nothing(old: str, new: str, currency: str, convention: str, day: int) -> None:
    on = JANUARY + timedelta(days=day)
    there_and_back = [{"kind": "plan", "on": on, "price": new}, {"kind": "plan", "on": on, "price": old}]
    given_so: dict[str, Any] = {"policy": {"convention": convention}, "price": old, "currency": currency}

    assert rate(a_case(there_and_back, **given_so)).net == rate(a_case([], **given_so)).net


@examined
@given(cases())
def test_credits_against_a_line_never_exceed_it(case: Case) -> None:
    lines = {line.id: line for line in rate(case).lines}
    left = {line.id: line.amount for line in lines.values() if line.corrects is None}
    for line in lines.values():
        if line.corrects is not None:
            assert line.amount <= 0
            left[line.corrects] += line.amount

    assert all(amount >= 0 for amount in left.values())


@examined
@given(prices, currencies, counting, some.permutations([7, -3, 2, -1, 5]), some.integers(0, 30))
def test_the_order_of_independent_changes_does_not_change_the_total(
    price: str, currency: str, counting: tuple[str, str], steps: list[int], day: int
) -> None:
    on = JANUARY + timedelta(days=day)
    given_so: dict[str, Any] = {"policy": counted(counting), "price": price, "currency": currency}

    assert rate(a_case([by(step, on) for step in steps], **given_so)).net == rate(a_case([by(10, on)], **given_so)).net


@examined
@given(cases())
def test_a_replay_gives_byte_equal_lines(case: Case) -> None:
    again = Case.model_validate_json(case.model_dump_json())

    assert rate(again).model_dump_json() == rate(case).model_dump_json()


@examined
@given(cases())
def test_a_line_equals_its_own_derivation(case: Case) -> None:
    for line in rate(case).lines:
        from_its_bytes = Line.model_validate_json(line.model_dump_json())
        assert recompute(from_its_bytes) == line.amount
        assert line.amount == round(line.amount, minor_units(line.currency))


@examined
@given(cases(), some.lists(some.integers(0, 1000), min_size=1, max_size=8).filter(any))
def test_children_add_up_to_their_parent(case: Case, weights: list[int]) -> None:
    shares = [{"customer": f"customer {place}", "weight": weight} for place, weight in enumerate(weights)]
    rating = rate(Case.model_validate({**case.model_dump(), "allocate": shares}))

    for line, children in zip(rating.lines, rating.children, strict=True):
        assert sum(child.amount for child in children) == line.amount
        assert all(recompute(child) == child.amount for child in children)


@examined
@given(some.integers(-(10**9), 10**9), some.lists(some.decimals(0, 1000, places=3), min_size=1, max_size=20).filter(any))
def test_an_allocation_is_complete_and_never_off_by_a_minor_unit(cents: int, weights: list[Decimal]) -> None:
    amount = Decimal(cents).scaleb(-2)
    shares = allocate(amount, weights, "EUR")

    assert sum(shares) == amount
    for share, weight in zip(shares, weights, strict=True):
        assert abs(Fraction(share) - Fraction(amount) * Fraction(weight) / Fraction(sum(weights))) < Fraction(1, 100)


@examined
@given(
    some.lists(some.tuples(some.integers(0, 59), some.integers(1, 50)), max_size=6), some.sampled_from(["average_seat_days", "peak", "sum"])
)
def test_no_line_tells_of_usage_in_a_trial(records: list[tuple[int, int]], mode: str) -> None:
    usage = [{"on": JANUARY + timedelta(days=day), "quantity": seats} for day, seats in records]
    case = {
        "terms": {"price": "9.00", "charge": "in_arrears"},
        "policy": {"usage": {"mode": mode}},
        "trial": {"starts": JANUARY, "length": "P60D"},
        "usage": usage,
    }
    never_converted = rate(Case.model_validate(case))
    converted = rate(Case.model_validate({**case, "changes": [{"kind": "convert", "on": JANUARY + timedelta(days=60)}]}))

    assert never_converted.lines == ()
    assert all(line.period.starts >= JANUARY + timedelta(days=60) for line in converted.lines)
    if mode == "sum":
        assert converted.lines == ()


@examined
@given(cases(), some.sampled_from(["Asia/Kathmandu", "America/New_York", "Pacific/Apia", "Europe/Lisbon"]))
def test_another_zone_with_the_same_local_days_changes_no_amount(case: Case, zone: str) -> None:
    policy = case.policy.model_copy(update={"convention": "day_actual", "cancel": None})
    here, there = (case.model_copy(update={"policy": policy, "zone": ZoneInfo(name)}) for name in ("UTC", zone))

    assert [line.amount for line in rate(here).lines] == [line.amount for line in rate(there).lines]


@examined
@given(cases(), some.sampled_from(["Etc/GMT+11", "Etc/GMT-14"]))
def test_seconds_and_windows_move_with_their_zone(case: Case, zone: str) -> None:
    here, there = (case.model_copy(update={"zone": ZoneInfo(name)}) for name in ("UTC", zone))

    assert [line.amount for line in rate(here).lines] == [line.amount for line in rate(there).lines]


@examined
@given(some.dates(date(1990, 1, 1), date(2150, 1, 1)), some.integers(1, 31), some.integers(1, 36))
def test_periods_of_any_anchor_and_length_are_contiguous_for_sixty_periods(starts: date, anchor_day: int, months: int) -> None:
    grid = Grid.starting(starts, Cadence(months=months), anchor_day)
    first = grid.containing(starts)
    periods = [first]
    while len(periods) < 60:
        periods.append(grid.containing(periods[-1].ends))

    assert first.starts <= starts < first.ends
    assert all(before.ends == after.starts for before, after in pairwise(periods))
    assert all(period.starts.day == min(anchor_day, _last_day(period.starts)) for period in periods)


@examined
@given(some.lists(some.one_of(quantity_changes, plan_changes), max_size=6), conventions)
def test_both_ways_to_write_a_change_give_the_same_net_before_rounding(changes: list[dict[str, Any]], convention: str) -> None:
    same_period = [{key: value for key, value in change.items() if key != "period"} for change in changes]
    delta, recharged = (
        rate(a_case(same_period, policy={"convention": convention, "change_lines": way})) for way in ("delta", "credit_and_recharge")
    )

    assert before_rounding(delta) == before_rounding(recharged)


def _last_day(day: date) -> int:
    return ((day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)).day
