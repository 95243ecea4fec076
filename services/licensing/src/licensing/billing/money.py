"""Money: minor units, the one rounding of a line, and shares that add up.

Everything before the rounding is an exact ``Fraction``; floats are refused at the door. A line is rounded once, HALF_UP
(away from zero at the half), to the minor unit that ISO 4217 gives its currency. Parts and children of an amount always
add up to it, because the last part, or the largest remainders, take what rounding left over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Annotated

from babel.numbers import is_currency
from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

# ISO 4217 List One. CLDR, which Babel carries, counts what people pay with instead: IQD 0, AFN 0.
_DIGITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_OTHER_THAN_TWO = {code: digits for digits, codes in _DIGITS.items() for code in codes.split()}
_WITHOUT_MINOR_UNIT = frozenset(["XAG", "XAU", "XBA", "XBB", "XBC", "XBD", "XDR", "XPD", "XPT", "XSU", "XTS", "XUA", "XXX"])
UNROUNDED_DIGITS = 12


class UnknownCurrency(ValueError):
    """The code is no ISO 4217 currency with a minor unit."""


def _refuse_floats(value: object) -> object:
    if isinstance(value, float | bool):
        raise PydanticCustomError("exact_decimal", "write it as a string: a JSON fraction is not exact")
    return value


Exact = Annotated[
    Decimal,
    BeforeValidator(_refuse_floats),
    Field(allow_inf_nan=False),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": r"^-?\d+(\.\d+)?$"}, {"type": "integer"}]}),
]
"""A decimal written as a string ("12.50") or a whole number; never a JSON fraction."""

Price = Annotated[Exact, Field(ge=0, max_digits=20, decimal_places=6)]
"""A unit price: numeric(20,6), per seat and whole period."""


class RoundingOrder(StrEnum):
    """When rounding happens. All but the first exist only to replay another vendor's bill."""

    MULTIPLY_THEN_ROUND = "multiply_then_round"
    UNIT_THEN_QUANTITY = "unit_then_quantity"
    DAY_RATE_THEN_DAYS = "day_rate_then_days"


@dataclass(frozen=True, slots=True)
class Share:
    """Which part of a whole price is charged: ``numerator`` of ``denominator`` days or seconds."""

    numerator: int
    denominator: int

    @property
    def fraction(self) -> Fraction:
        return Fraction(self.numerator, self.denominator)

    @property
    def is_whole(self) -> bool:
        return self.numerator == self.denominator


@dataclass(frozen=True, slots=True)
class Worth:
    exact: Fraction
    amount: Decimal


def minor_units(currency: str) -> int:
    """Give the decimals of a currency by ISO 4217: 0, 2, 3 or 4. Raises ``UnknownCurrency``."""
    if currency in _WITHOUT_MINOR_UNIT or not is_currency(currency):
        raise UnknownCurrency(f"{currency} is no currency with a minor unit")
    return _OTHER_THAN_TWO.get(currency, 2)


def rounded(value: Fraction, digits: int) -> Decimal:
    """Round HALF_UP to so many decimals, independent of the decimal context."""
    scaled = abs(value) * 10**digits
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    sign = "-" if value < 0 and whole else ""
    return Decimal(f"{sign}{whole}e-{digits}")


def worth(price: Decimal, quantity: Decimal, share: Share, *, order: RoundingOrder, currency: str) -> Worth:
    """Price x quantity x share, exact and as an amount in the currency's minor unit.

    ``unit_then_quantity`` rounds the prorated price of one unit, ``day_rate_then_days`` the price of one unit and one day
    (a whole period has no day rate: it costs its price).
    """
    digits = minor_units(currency)
    unit, count = Fraction(price), Fraction(quantity)
    exact = unit * count * share.fraction
    match order:
        case RoundingOrder.UNIT_THEN_QUANTITY:
            before_last = Fraction(rounded(unit * share.fraction, digits)) * count
        case RoundingOrder.DAY_RATE_THEN_DAYS if not share.is_whole:
            before_last = Fraction(rounded(unit / share.denominator, digits)) * share.numerator * count
        case _:
            before_last = exact
    return Worth(exact, rounded(before_last, digits))


def rest_to_the_last(whole: Decimal, parts: Sequence[Decimal]) -> tuple[Decimal, ...]:
    """Make rounded parts add up to a whole of 0 or more: the last takes the remainder, and none more than is left."""
    amounts: list[Decimal] = []
    left = whole
    for part in parts[:-1]:
        amounts.append(min(part, left))
        left -= amounts[-1]
    return (*amounts, left)


def allocate(amount: Decimal, weights: Sequence[Decimal], currency: str) -> tuple[Decimal, ...]:
    """Share an amount out by weight with the method of the largest remainder; ties go to the earlier one.

    Raises ``ValueError`` when a weight is negative or all are 0, or when the amount is finer than the minor unit.
    """
    total = sum(map(Fraction, weights), Fraction(0))
    if total <= 0 or min(weights) < 0:
        raise ValueError("weights must not be negative, and one must be above 0")
    digits = minor_units(currency)
    units = abs(Fraction(amount)) * 10**digits
    if units.denominator != 1:
        raise ValueError(f"{amount} is finer than the minor unit of {currency}")
    quotas = [units * Fraction(weight) / total for weight in weights]
    floors = [quota.numerator // quota.denominator for quota in quotas]
    missing = units.numerator - sum(floors)
    by_remainder = sorted(range(len(quotas)), key=lambda place: (floors[place] - quotas[place], place))
    winners = set(by_remainder[:missing])
    sign = -1 if amount < 0 else 1
    return tuple(rounded(Fraction(sign * (floor + (place in winners)), 10**digits), digits) for place, floor in enumerate(floors))
