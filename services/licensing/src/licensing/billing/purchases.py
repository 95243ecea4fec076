"""Purchases: the line of a first period, of every later one, and the rhythm of a co-termed subscription.

A period that starts on its boundary is charged whole; a first period that starts inside one is charged for its rest.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from licensing.billing.changes import UTC_ZONE, Basis, Book, Part, grid_of, rate_part
from licensing.billing.lines import Line, Reason
from licensing.billing.periods import Cadence, Period
from licensing.billing.policies import Policy, Terms


class CoTermRefused(ValueError):
    """A longer period cannot be aligned to a subscription with a shorter one."""


class CoTermKind(StrEnum):
    SUBSCRIPTION = "subscription"
    CALENDAR_MONTH = "calendar_month"


@dataclass(frozen=True, slots=True)
class Running:
    """A period and the date in it from which it is charged."""

    period: Period
    charged_from: date


def rate_first_period(  # noqa: PLR0913 - the facts of a sale, each named at the call
    terms: Terms,
    quantity: Decimal | int,
    starts_on: date,
    currency: str,
    policy: Policy,
    *,
    line_id: UUID,
    zone: ZoneInfo = UTC_ZONE,
    reason: Reason = Reason.FIRST_PERIOD,
) -> Line:
    """Rate the first period of a subscription that is charged in advance.

    ``starts_on`` is the local date of purchase or of the trial's conversion (then ``reason`` is ``CONVERSION``); without an
    anchor in the terms the period is whole. ``terms.price`` is per seat and period in ``currency`` (ISO 4217). Raises
    ``UnknownCurrency``.
    """
    running = Running(grid_of(terms, starts_on).containing(starts_on), starts_on)
    return rate_from(basis_of(terms, currency, policy, zone), Decimal(quantity), running, line_id, reason)


def rate_next_period(  # noqa: PLR0913 - as above
    terms: Terms,
    quantity: Decimal | int,
    period: Period,
    currency: str,
    policy: Policy,
    *,
    line_id: UUID,
    zone: ZoneInfo = UTC_ZONE,
    reason: Reason = Reason.RENEWAL,
) -> Line:
    """Rate a whole later period at the quantity and price of its first day; nothing is prorated (renewal: billing.md)."""
    running = Running(period, period.starts)
    return rate_from(basis_of(terms, currency, policy, zone), Decimal(quantity), running, line_id, reason)


def rate_from(basis: Basis, quantity: Decimal, running: Running, line_id: UUID, reason: Reason) -> Line:
    book = Book(basis, running.period)
    starts = basis.axis.position(running.charged_from)
    return rate_part(book, Part(starts=starts, ends=book.whole.ends, price=basis.price, quantity=quantity), line_id, reason)


def basis_of(terms: Terms, currency: str, policy: Policy, zone: ZoneInfo) -> Basis:
    return Basis(price=terms.price, currency=currency, policy=policy, zone=zone)


def co_termed(terms: Terms, last_day: date, kind: CoTermKind, aligned_period: Cadence | None) -> Terms:
    """Align periods so that one of them ends with ``last_day`` (V15): the first is shortened, later ones are whole.

    ``aligned_period`` is the other subscription's period. Raises ``CoTermRefused`` when that is shorter than this one's.
    """
    if kind is CoTermKind.SUBSCRIPTION and aligned_period and aligned_period.is_shorter_than(terms.period):
        raise CoTermRefused(f"{terms.period} cannot be aligned to {aligned_period}")
    return terms.model_copy(update={"anchor": last_day + timedelta(days=1)})
