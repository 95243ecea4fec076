"""Quotes: the first paid term of a subscription and what it costs, by the billing calculator.

The term begins at local midnight of the day of purchase or conversion, so the paid period
starts that day; an offer charged in advance rates its first whole period at once, one in
arrears rates nothing before its period has closed. Pure: preview and execution share it.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis.policies import Policy as PolicyDocument
from contracts.licensing.offers import Price
from licensing.billing import (
    Cadence,
    Charge,
    Convention,
    Line,
    Policy,
    PolicyVersion,
    Reason,
    RoundingOrder,
    Terms,
    grid_of,
    rate_first_period,
)
from licensing.billing.periods import instant_of

_PERIODS: Final = {"month": Cadence(months=1), "quarter": Cadence(months=3), "year": Cadence(months=12)}


class RatingPolicy(PolicyDocument):
    """How lines are rated."""

    kind: ClassVar[str] = "rating"

    convention: Convention
    rounding: RoundingOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What a quote is made of, all of it known before."""

    price: Price
    offer_version: int
    rating: RatingPolicy
    rating_version: int

    @property
    def terms(self) -> Terms:
        return Terms(price=self.price.unit_price, period=_PERIODS[self.price.period], charge=Charge(self.price.charge))

    @property
    def policy(self) -> Policy:
        versions = (PolicyVersion(policy="offer", version=self.offer_version), PolicyVersion(policy="rating", version=self.rating_version))
        return Policy(convention=self.rating.convention, rounding=self.rating.rounding, versions=versions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    quantity: int
    price: Price
    term_start: datetime
    term_end: datetime
    lines: tuple[Line, ...]

    @property
    def total(self) -> Decimal:
        return sum((line.amount for line in self.lines), Decimal(0))

    def shown(self) -> dict[str, Any]:
        """What a person is shown of it, and what a confirmation is compared with: everything but the ids of lines."""
        return {
            "quantity": self.quantity,
            "term_start": self.term_start.isoformat(),
            "term_end": self.term_end.isoformat(),
            "currency": self.price.currency,
            "total": str(self.total),
            "lines": [line.model_dump(mode="json", exclude={"id"}) for line in self.lines],
        }


def first_term(basis: Basis, quantity: int, on: date, zone: ZoneInfo, *, line_id: UUID, reason: Reason) -> Quote:
    """The first term of a subscription that is bought or converted on a local day."""
    price, terms = basis.price, basis.terms
    period = grid_of(terms, on).containing(on)
    lines: tuple[Line, ...] = ()
    if terms.charge is Charge.IN_ADVANCE:
        lines = (rate_first_period(terms, quantity, on, price.currency, basis.policy, line_id=line_id, zone=zone, reason=reason),)
    starts, ends = instant_of(period.starts, zone), instant_of(period.ends, zone)
    return Quote(quantity=quantity, price=price, term_start=starts, term_end=ends, lines=lines)
