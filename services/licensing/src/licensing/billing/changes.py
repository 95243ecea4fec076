"""Changes: the lines that a period, a change of quantity or of plan, and a taking back give.

Every function reads the lines told so far for the period and gives the new ones; nothing is remembered elsewhere. Two
rules hold throughout: what happens at one moment at one price nets to the direct calculation, so doing and undoing nets
to 0; and credits against a line never exceed what is still open of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import groupby
from uuid import UUID
from zoneinfo import ZoneInfo

from licensing.billing.lines import Line, Reason, Span, charges, net, open_amount, open_quantity, priced
from licensing.billing.money import Share, rest_to_the_last, worth
from licensing.billing.periods import Grid, Period
from licensing.billing.policies import Policy, Terms
from licensing.billing.proration import Axis

UTC_ZONE = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What every line of one plan has in common."""

    price: Decimal
    currency: str
    policy: Policy
    zone: ZoneInfo = UTC_ZONE

    @property
    def axis(self) -> Axis:
        return Axis(self.policy.convention, self.zone)

    def line(self, line_id: UUID, reason: Reason, quantity: Decimal, share: Share, spans: tuple[Span, Span]) -> Line:
        """Make a line at its own worth; ``spans`` are the part charged and the whole period."""
        return priced(
            Line(
                id=line_id,
                reason=reason,
                currency=self.currency,
                price=self.price,
                quantity=quantity,
                numerator=share.numerator,
                denominator=share.denominator,
                convention=self.policy.convention,
                rounding=self.policy.rounding,
                unrounded=Decimal(0),
                amount=Decimal(0),
                period=spans[0],
                of_period=spans[1],
                policy_versions=self.policy.versions,
            )
        )


@dataclass(frozen=True, slots=True)
class Book:
    """One period of one subscription, with the lines told for it so far."""

    basis: Basis
    period: Period
    told: Sequence[Line] = ()

    @property
    def whole(self) -> Span:
        axis = self.basis.axis
        return Span(starts=axis.position(self.period.starts), ends=axis.position(self.period.ends))

    def share(self, starts: date, ends: date) -> Share:
        return self.basis.axis.share(self.period, starts, ends)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A stretch of a period in which price and quantity stay the same; positions on the convention's axis."""

    starts: date
    ends: date
    price: Decimal
    quantity: Decimal


def grid_of(terms: Terms, starts_on: date) -> Grid:
    """Give the periods of a subscription that starts on a local date."""
    if terms.anchor is None:
        return Grid.starting(starts_on, terms.period, terms.anchor_day)
    return Grid(origin=terms.anchor, anchor_day=terms.anchor_day or terms.anchor.day, cadence=terms.period)


def rate_part(book: Book, part: Part, line_id: UUID, reason: Reason) -> Line:
    """Charge a part of a period.

    The line is the step from what the book has told for exactly this part at this price to the rounded total after it.
    """
    basis = replace(book.basis, price=part.price)
    spans = (Span(starts=part.starts, ends=part.ends), book.whole)
    line = basis.line(line_id, reason, part.quantity, book.share(part.starts, part.ends), spans)
    return priced(line, _step(line, book.told))


def rate_parts(book: Book, parts: Sequence[Part], ids: Iterator[UUID], reason: Reason) -> tuple[Line, ...]:
    """Charge the parts of a period; neighbours of equal price and quantity add up to what they would cost undivided."""
    unwritten = replace(book, told=())
    lines: list[Line] = []
    for _, group in groupby(_runs(parts), key=lambda run: run[0]):
        members = [part for _, part in group]
        made = [rate_part(unwritten, part, next(ids), reason) for part in members]
        undivided = rate_part(unwritten, replace(members[0], ends=members[-1].ends), made[0].id, reason)
        amounts = rest_to_the_last(undivided.amount, [line.amount for line in made])
        lines += [priced(line, amount) for line, amount in zip(made, amounts, strict=True)]
    return tuple(lines)


def take_back(book: Book, on: date, ids: Iterator[UUID], *, reason: Reason, quantity: Decimal | None = None) -> tuple[Line, ...]:
    """Credit what is left of a quantity (by default of all) from a position on, the latest charge first.

    Each credit refers to its charge, uses that charge's price, and is limited to what is open of it.
    """
    lines: list[Line] = []
    left = quantity
    for charge in reversed(charges(book.told)):
        is_open = open_quantity(charge, book.told)
        piece = is_open if left is None else min(is_open, left)
        if piece <= 0 or charge.period.ends <= on:
            continue
        starts = max(on, charge.period.starts)
        rest = (book.share(starts, charge.period.ends), Span(starts=starts, ends=charge.period.ends))
        lines.append(credit(charge, (*book.told, *lines), piece, rest, (next(ids), reason)))
        left = None if left is None else left - piece
    return tuple(lines)


def credit(charge: Line, told: Sequence[Line], quantity: Decimal, rest: tuple[Share, Span], name: tuple[UUID, Reason]) -> Line:
    """Credit a quantity of one charge for a share of its period; never more than is open of it."""
    share, span = rest
    line = charge.model_copy(
        update={
            "id": name[0],
            "reason": name[1],
            "quantity": -quantity,
            "numerator": share.numerator,
            "denominator": share.denominator,
            "period": span,
            "corrects": charge.id,
        }
    )
    return priced(line, max(min(_step(line, told), Decimal(0)), -open_amount(charge, told)))


def reverse(charge: Line, told: Sequence[Line], line_id: UUID) -> Line:
    """Credit all that is open of a charge, for its whole length."""
    rest = (charge.share, charge.period)
    line = credit(charge, told, open_quantity(charge, told), rest, (line_id, Reason.REVERSAL))
    return priced(line, -open_amount(charge, told))


def recharge(book: Book, parts: Sequence[Part], ids: Iterator[UUID]) -> tuple[Line, ...]:
    """Credit the whole and charge every part anew (``credit_and_recharge``, V06, V07); nothing when nothing changed."""
    standing = [charge for charge in charges(book.told) if open_quantity(charge, book.told) > 0]
    charged = [(c.period.starts, c.period.ends, c.price, open_quantity(c, book.told)) for c in standing]
    if charged == [(part.starts, part.ends, part.price, part.quantity) for part in parts]:
        return ()
    reversals = [reverse(charge, book.told, next(ids)) for charge in standing]
    return (*reversals, *rate_parts(book, parts, ids, Reason.RECHARGE))


def _step(line: Line, told: Sequence[Line]) -> Decimal:
    same = [
        other
        for other in told
        if (other.price, other.share, other.period, other.of_period) == (line.price, line.share, line.period, line.of_period)
    ]
    total = line.quantity + sum((other.quantity for other in same), Decimal(0))
    return worth(line.price, total, line.share, order=line.rounding, currency=line.currency).amount - net(same)


def _runs(parts: Sequence[Part]) -> Iterator[tuple[int, Part]]:
    run = 0
    for place, part in enumerate(parts):
        before = parts[place - 1] if place else part
        if place and (before.price, before.quantity, before.ends) != (part.price, part.quantity, part.starts):
            run += 1
        yield run, part
