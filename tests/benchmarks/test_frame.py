"""A benchmark judges ratios, by the median of rounds, and never what the machine was able to do."""

from collections.abc import AsyncIterator, Iterable

import pytest

from benchmarks.frame import Bar, NotHere, Result, Round, Row, at_least, at_most, measure


def a_row(rounds: Iterable[Round] = (), *, bar: Bar | None = None, rate: bool = False, missing: str = "") -> Row:
    async def taken(_stage: object) -> AsyncIterator[Round]:
        if missing:
            raise NotHere(missing)
        for one in rounds:
            yield one

    return Row(id="P0", work="nothing", against="nothing", unit="µs", bar=bar, rate=rate, rounds=taken, cause="")


def measured(*rounds: tuple[float, float | None], bar: Bar | None = None, rate: bool = False) -> Result:
    return Result(row=a_row(bar=bar, rate=rate), rounds=[Round(*one) for one in rounds])


def test_a_cost_is_judged_by_how_much_of_the_limits_speed_is_reached() -> None:
    result = measured((400, 200), bar=at_least(0.5, aim=0.8))

    assert (result.ratio, result.verdict) == (0.5, "ok")


def test_a_rate_is_judged_the_other_way_round() -> None:
    result = measured((400, 1000), bar=at_least(0.5, aim=0.8), rate=True)

    assert (result.ratio, result.verdict) == (0.4, "short")


def test_what_may_be_at_most_so_many_times_the_limit_is_short_above_it() -> None:
    assert measured((24, 10), bar=at_most(3, aim=1.7)).verdict == "ok"
    assert measured((31, 10), bar=at_most(3, aim=1.7)).verdict == "short"


def test_one_round_that_a_neighbour_disturbed_decides_nothing() -> None:
    result = measured((100, 80), (900, 80), (100, 80), bar=at_least(0.6, aim=0.8))

    assert (result.ours, result.limit, result.ratio, result.verdict) == (100, 80, 0.8, "ok")


def test_the_ratio_is_the_median_of_ratios_not_the_ratio_of_medians() -> None:
    """A machine that slows down slows both down, so each round is judged by its own limit."""
    result = measured((100, 50), (200, 100), (400, 200), bar=at_least(0.5, aim=0.8))

    assert result.ratio == 0.5


def test_a_figure_without_a_bar_is_printed() -> None:
    assert measured((0.7, 0.6)).verdict == "printed"
    assert measured((0.7, None)).ratio is None


async def test_three_rounds_are_taken_however_many_there_are() -> None:
    result = await measure(a_row(Round(one, 1) for one in range(1, 100)), None)

    assert [one.ours for one in result.rounds] == [1, 2, 3]


async def test_a_row_that_needs_what_is_not_here_says_so_and_fails_nothing() -> None:
    result = await measure(a_row(missing="nginx is not installed"), None)

    assert (result.verdict, result.missing) == ("not measured", "nginx is not installed")


@pytest.mark.parametrize(("bar", "said"), [(at_least(0.6, aim=0.8), "≥ 0.6 (aim 0.8)"), (at_most(3, aim=1.7), "≤ 3 (aim 1.7)")])
def test_a_bar_says_what_it_asks_for(bar: Bar, said: str) -> None:
    assert str(bar) == said
