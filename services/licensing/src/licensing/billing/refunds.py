"""Refunds: what comes back when something is cancelled inside its window (V14).

A window belongs to one charge: it opens with the purchase, the renewal or the adding of seats, as the policy says, and
lasts for exact elapsed time. What is kept is counted in started units.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from licensing.billing.changes import Book, credit
from licensing.billing.lines import Line, Reason, Span, open_quantity
from licensing.billing.money import Share
from licensing.billing.policies import CancelPolicy, Refund, WindowOpening
from licensing.billing.proration import Convention

A_DAY = timedelta(days=1)
A_SECOND = timedelta(seconds=1)
_OPENED_BY = {
    Reason.FIRST_PERIOD: WindowOpening.PURCHASE,
    Reason.CONVERSION: WindowOpening.PURCHASE,
    Reason.PLAN_CHANGE: WindowOpening.PURCHASE,
    Reason.RENEWAL: WindowOpening.RENEWAL,
    Reason.INCREASE: WindowOpening.SEAT_ADD,
}


@dataclass(frozen=True, slots=True)
class Charged:
    """A charge and the instant at which it was made, which opened its window."""

    line: Line
    at: datetime


def window_is_open(charged: Charged, at: datetime, cancel: CancelPolicy | None) -> bool:
    """Say whether a charge can still be taken back with a refund at an instant."""
    if cancel is None or _OPENED_BY.get(charged.line.reason) not in cancel.opens_on:
        return False
    return timedelta(0) <= at - charged.at < cancel.window


def refund(book: Book, charged: Charged, at: datetime, line_id: UUID, policy: Refund, *, quantity: Decimal | None = None) -> Line:
    """Credit a quantity (by default what is open) of a charge, less the started units since it was made."""
    line = charged.line
    left = max(Fraction(line.numerator) - _kept(line, at - charged.at, policy), Fraction(0))
    share = Share(left.numerator, line.denominator * left.denominator)
    span = Span(starts=max(book.basis.axis.position(at), line.period.starts), ends=line.period.ends)
    piece = open_quantity(line, book.told) if quantity is None else quantity
    return credit(line, book.told, piece, (share, span), (line_id, Reason.REFUND))


def _kept(line: Line, elapsed: timedelta, policy: Refund) -> Fraction:
    units = elapsed // policy.unit + (0 if policy.first_unit_free else 1)
    counted_in = A_SECOND if line.convention is Convention.SECOND else A_DAY
    return units * Fraction(policy.unit // timedelta(microseconds=1), counted_in // timedelta(microseconds=1))
