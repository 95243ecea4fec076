"""Money is exact until its one rounding, and has the minor unit that ISO 4217 gives it."""

from decimal import Decimal
from fractions import Fraction

import pytest
from babel.numbers import get_currency_precision

from licensing.billing import RoundingOrder, UnknownCurrency, allocate, minor_units, rest_to_the_last, rounded
from licensing.billing.money import Share, worth


@pytest.mark.parametrize(
    ("digits", "codes"),
    [
        (0, "JPY KRW CLP VND ISK XAF XOF XPF UGX PYG RWF KMF DJF GNF BIF VUV"),
        (2, "EUR USD GBP CHF HUF TWD COP IDR AFN LBP MGA MRU RSD"),
        (3, "BHD KWD OMR JOD TND IQD LYD"),
        (4, "UYW CLF"),
    ],
)
def test_minor_units_are_those_of_iso_4217(digits: int, codes: str) -> None:
    assert {minor_units(code) for code in codes.split()} == {digits}


def test_the_bundled_locale_data_differs_only_where_people_stopped_using_coins() -> None:
    for code in ("JPY", "KWD", "EUR", "CLF", "TND"):
        assert minor_units(code) == get_currency_precision(code)
    assert (minor_units("IQD"), get_currency_precision("IQD")) == (3, 0)


@pytest.mark.parametrize("code", ["XAU", "XXX", "EURO", "eur", ""])
def test_what_is_no_currency_is_refused(code: str) -> None:
    with pytest.raises(UnknownCurrency):
        minor_units(code)


@pytest.mark.parametrize(
    ("value", "digits", "amount"),
    [
        ("0.005", 2, "0.01"),
        ("-0.005", 2, "-0.01"),
        ("0.00499999", 2, "0.00"),
        ("-0.004", 2, "0.00"),
        ("2.5", 0, "3"),
        ("1.2345", 3, "1.235"),
    ],
)
def test_halves_go_away_from_zero(value: str, digits: int, amount: str) -> None:
    assert str(rounded(Fraction(value), digits)) == amount


def test_rounding_does_not_depend_on_the_size_of_the_number() -> None:
    assert str(rounded(Fraction(10**40) + Fraction(1, 200), 2)) == f"1{'0' * 40}.01"


def test_a_whole_period_has_no_day_rate() -> None:
    whole = worth(Decimal("29.95"), Decimal(1), Share(30, 30), order=RoundingOrder.DAY_RATE_THEN_DAYS, currency="EUR")
    part = worth(Decimal("29.95"), Decimal(1), Share(24, 30), order=RoundingOrder.DAY_RATE_THEN_DAYS, currency="EUR")

    assert (whole.amount, part.amount) == (Decimal("29.95"), Decimal("24.00"))


def test_the_last_part_takes_the_remainder_and_no_part_more_than_is_left() -> None:
    assert rest_to_the_last(Decimal("0.10"), [Decimal("0.03")] * 3) == (Decimal("0.03"), Decimal("0.03"), Decimal("0.04"))
    assert rest_to_the_last(Decimal("0.01"), [Decimal("0.01")] * 3) == (Decimal("0.01"), Decimal("0.00"), Decimal("0.00"))


def test_the_largest_remainders_get_what_is_left_over() -> None:
    assert allocate(Decimal("100.00"), [Decimal(1)] * 3, "EUR") == (Decimal("33.34"), Decimal("33.33"), Decimal("33.33"))
    assert allocate(Decimal("-1.00"), [Decimal(2), Decimal(1)], "EUR") == (Decimal("-0.67"), Decimal("-0.33"))
    assert allocate(Decimal(10), [Decimal(0), Decimal("0.5"), Decimal("0.25")], "JPY") == (Decimal(0), Decimal(7), Decimal(3))


@pytest.mark.parametrize(("amount", "weights"), [("1.00", [0, 0]), ("1.00", [2, -1]), ("1.00", []), ("1.001", [1])])
def test_what_cannot_be_shared_out_is_refused(amount: str, weights: list[int]) -> None:
    with pytest.raises(ValueError, match=r"weights|finer"):
        allocate(Decimal(amount), [Decimal(weight) for weight in weights], "EUR")
