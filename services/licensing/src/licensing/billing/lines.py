"""Lines: the immutable, explained result of rating.

A line carries everything its amount was made of, so that the amount can be recomputed from the line alone (BEY-06). A
credit has a negative quantity at the price of the line that it corrects.
"""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from licensing.billing.money import UNROUNDED_DIGITS, Exact, Price, RoundingOrder, Share, Worth, allocate, rounded, worth
from licensing.billing.policies import Frozen, PolicyVersion
from licensing.billing.proration import Convention, Moment


class Reason(StrEnum):
    FIRST_PERIOD = "first_period"
    CONVERSION = "conversion"
    PERIOD = "period"
    RENEWAL = "renewal"
    INCREASE = "increase"
    DECREASE = "decrease"
    PLAN_CHANGE = "plan_change"
    REVERSAL = "reversal"
    RECHARGE = "recharge"
    REFUND = "refund"
    TERMINATION = "termination"
    SUSPENSION = "suspension"
    RESUMPTION = "resumption"
    USAGE = "usage"
    TRUE_UP = "true_up"


class Span(Frozen):
    """Half-open [starts, ends): local dates, or instants where seconds are counted."""

    starts: Moment
    ends: Moment


class Line(Frozen):
    """One rated line; ``amount = round(price x quantity x numerator / denominator) + adjustment``."""

    id: UUID
    reason: Reason
    currency: str
    price: Price
    """The basis: unit price for one whole period."""
    quantity: Exact
    """Below 0 in a credit. 1 where the share counts seat-days."""
    numerator: int
    """Days, 30ths, seconds or seat-days charged."""
    denominator: Annotated[int, Field(gt=0)]
    """The same of the whole period."""
    convention: Convention
    rounding: RoundingOrder
    unrounded: Exact
    """Price x quantity x share before any rounding, shown with 12 decimals."""
    adjustment: Exact = Decimal(0)
    """What this line takes over so that lines add up: a remainder, a limit, or in a true-up the amount already rated."""
    amount: Exact
    """In the currency's minor unit by ISO 4217."""
    period: Span
    """The part of the period that is charged."""
    of_period: Span
    """The whole period, whose length is the denominator."""
    policy_versions: tuple[PolicyVersion, ...] = ()
    corrects: UUID | None = None
    """The line that this one credits."""
    parent: UUID | None = None
    """The line of which this one is a customer's share."""

    @property
    def share(self) -> Share:
        return Share(self.numerator, self.denominator)


def recompute(line: Line) -> Decimal:
    """Derive the amount of a line from the line alone (BEY-06)."""
    return worth_of(line).amount + line.adjustment


def worth_of(line: Line) -> Worth:
    return worth(line.price, line.quantity, line.share, order=line.rounding, currency=line.currency)


def priced(line: Line, amount: Decimal | None = None) -> Line:
    """Fill in what follows from the basis of a line, and its adjustment when another amount must come out."""
    value = worth_of(line)
    final = value.amount if amount is None else amount
    shown = rounded(value.exact, UNROUNDED_DIGITS)
    return line.model_copy(update={"unrounded": shown, "amount": final, "adjustment": final - value.amount})


def net(lines: Iterable[Line]) -> Decimal:
    return sum((line.amount for line in lines), Decimal(0))


def charges(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Give the lines that can be credited: those that correct nothing themselves."""
    return tuple(line for line in lines if line.corrects is None)


def open_quantity(line: Line, lines: Iterable[Line]) -> Decimal:
    """Give what no credit has taken back yet, in units of the line."""
    return line.quantity + sum((credit.quantity for credit in lines if credit.corrects == line.id), Decimal(0))


def open_amount(line: Line, lines: Iterable[Line]) -> Decimal:
    return line.amount + net(credit for credit in lines if credit.corrects == line.id)


def allocated(line: Line, weights: Sequence[Decimal], ids: Iterator[UUID]) -> tuple[Line, ...]:
    """Share a line out over customers by largest remainder; the children add up to their parent.

    Weights are whole numbers or decimals of any scale. Every child keeps the basis and carries its weight in its share.
    """
    amounts = allocate(line.amount, weights, line.currency)
    scale = 10 ** max(0, *(-int(weight.as_tuple().exponent) for weight in weights))
    parts = [int(weight * scale) for weight in weights]
    return tuple(
        priced(
            line.model_copy(
                update={
                    "id": next(ids),
                    "parent": line.id,
                    "numerator": line.numerator * part,
                    "denominator": line.denominator * sum(parts),
                }
            ),
            amount,
        )
        for part, amount in zip(parts, amounts, strict=True)
    )
