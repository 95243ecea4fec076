"""Closing: what a period comes to when it is over - its parts, its usage, and what is missing to a minimum.

A period is a row of stretches; each lasts until the next begins. Only billable ones become lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

from licensing.billing.changes import Book, Part
from licensing.billing.lines import Line, Reason, Span, net, priced
from licensing.billing.policies import Minimum, UsagePolicy
from licensing.billing.usage import Level, Stretch, metered


@dataclass(frozen=True, slots=True)
class Stay:
    """From a position on: a quantity at a price, charged or not; ``cut`` keeps it apart from an equal neighbour."""

    starts: date
    price: Decimal
    quantity: Decimal
    billable: bool = True
    cut: bool = False


def parts_of(stays: Sequence[Stay], until: date) -> list[Part]:
    """Give the billable stretches up to a position, equal neighbours joined unless they were cut apart."""
    parts: list[Part] = []
    for stay, ends in _with_ends(stays, until):
        if not stay.quantity:
            continue
        part = Part(starts=stay.starts, ends=ends, price=stay.price, quantity=stay.quantity)
        last = parts[-1] if parts else None
        if last and not stay.cut and (last.ends, last.price, last.quantity) == (part.starts, part.price, part.quantity):
            parts[-1] = replace(last, ends=part.ends)
        else:
            parts.append(part)
    return parts


def usage_line(book: Book, stays: Sequence[Stay], until: date, levels: Sequence[Level] | None, line_id: UUID) -> Line | None:
    """Rate the usage of a period; without levels of their own the stretches' quantities are what was used."""
    basis = book.basis
    active = [Stretch(stay.starts, ends) for stay, ends in _with_ends(stays, until)]
    used = [Level(stay.starts, stay.quantity) for stay in stays] if levels is None else levels
    found = metered(used, book.period, active, basis.policy.usage or UsagePolicy(), basis.axis)
    if not (active and found.quantity and found.share.numerator):
        return None
    span = Span(starts=active[0].starts, ends=active[-1].ends)
    return basis.line(line_id, Reason.USAGE, found.quantity, found.share, (span, book.whole))


def true_up(book: Book, minimum: Minimum, part: Stretch, line_id: UUID) -> Line | None:
    """Charge what the period's lines lack of the minimum commitment, prorated for a period that is charged in part."""
    basis, quantity = book.basis, minimum.quantity
    if minimum.amount is not None:
        basis, quantity = replace(basis, price=minimum.amount), Decimal(1)
    spans = (Span(starts=part.starts, ends=part.ends), book.whole)
    committed = basis.line(line_id, Reason.TRUE_UP, quantity or Decimal(0), book.share(part.starts, part.ends), spans)
    missing = committed.amount - net(book.told)
    return priced(committed, missing) if missing > 0 else None


def _with_ends(stays: Sequence[Stay], until: date) -> list[tuple[Stay, date]]:
    ends = [*(after.starts for _, after in pairwise(stays)), until]
    return [(stay, end) for stay, end in zip(stays, ends, strict=True) if stay.billable and end > stay.starts]
