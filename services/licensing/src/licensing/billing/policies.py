"""Policies and terms: what the calculator is told about an offer, as data with a version.

They are frozen and complete: every choice has a default that the rule book names, and a line carries the versions of the
policies that made it. Nothing here decides; it is read by the modules beside it.
"""

from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from licensing.billing.money import Exact, Price, RoundingOrder
from licensing.billing.periods import Cadence, Length
from licensing.billing.proration import Convention


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ChangeLines(StrEnum):
    """How a change inside a period is written; both give the same net before rounding."""

    DELTA = "delta"
    CREDIT_AND_RECHARGE = "credit_and_recharge"


class Decrease(StrEnum):
    """When a lower quantity takes effect."""

    IMMEDIATE = "immediate"
    NEXT_CYCLE = "next_cycle"
    NEXT_RENEWAL = "next_renewal"
    BLOCKED = "blocked"


class Charge(StrEnum):
    IN_ADVANCE = "in_advance"
    IN_ARREARS = "in_arrears"


class PlanMove(StrEnum):
    """What becomes of a plan change."""

    IMMEDIATE = "immediate"
    END_OF_TERM = "end_of_term"
    REFUSED = "refused"


class Direction(StrEnum):
    """A plan change by its price for equal time."""

    UPGRADE = "upgrade"
    DOWNGRADE = "downgrade"
    SIDEGRADE = "sidegrade"


class WindowOpening(StrEnum):
    PURCHASE = "purchase"
    RENEWAL = "renewal"
    SEAT_ADD = "seat_add"


class Outside(StrEnum):
    """What a cancellation does after its window has closed."""

    AT_TERM_END = "at_term_end"
    REFUSED = "refused"


class SuspendedBilling(StrEnum):
    """Whether a suspended subscription is charged."""

    CONTINUE = "continue"
    STOP = "stop"
    CREDIT = "credit"


class UsageMode(StrEnum):
    AVERAGE_SEAT_DAYS = "average_seat_days"
    PEAK = "peak"
    SNAPSHOT = "snapshot"
    LAST = "last"
    SUM = "sum"


class PlanRule(Frozen):
    direction: Direction | None = None
    """Matches only this direction; absent: any."""
    then: PlanMove


class Refund(Frozen):
    unit: Annotated[timedelta, Field(gt=timedelta(0))] = timedelta(days=1)
    """What is kept is counted in started units of this length."""
    first_unit_free: bool = True


class CancelPolicy(Frozen):
    window: Annotated[timedelta, Field(gt=timedelta(0))] = timedelta(days=7)
    """Exact elapsed time; the window is half-open, so at its full length it is closed."""
    opens_on: tuple[WindowOpening, ...] = tuple(WindowOpening)
    refund: Refund = Refund()
    outside: Outside = Outside.AT_TERM_END


class UsagePolicy(Frozen):
    mode: UsageMode = UsageMode.AVERAGE_SEAT_DAYS
    snapshot: Annotated[int, Field(ge=1, le=31)] | date | None = None
    """For ``snapshot``: a date, or a day of the month: the last date in the period with that day, clamped to short months."""
    trials_billable: bool = False

    @model_validator(mode="after")
    def _snapshot_has_its_day(self) -> Self:
        if (self.mode is UsageMode.SNAPSHOT) != (self.snapshot is not None):
            raise ValueError("a snapshot has a day, and nothing else has")
        return self


class Minimum(Frozen):
    """A minimum commitment per period: an amount, or a quantity at the unit price."""

    amount: Annotated[Price, Field(gt=0)] | None = None
    quantity: Annotated[Exact, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.amount is None) == (self.quantity is None):
            raise ValueError("a minimum is an amount or a quantity")
        return self


class PolicyVersion(Frozen):
    policy: str
    version: Annotated[int, Field(ge=1)]


class Policy(Frozen):
    """Every choice that changes an amount, with the rule book's defaults."""

    convention: Convention = Convention.DAY_ACTUAL
    rounding: RoundingOrder = RoundingOrder.MULTIPLY_THEN_ROUND
    change_lines: ChangeLines = ChangeLines.DELTA
    decrease: Decrease = Decrease.NEXT_RENEWAL
    renewal_window_before: Annotated[timedelta, Field(ge=timedelta(0))] = timedelta(0)
    """The renewal quantity may be set until the term's end less this."""
    plan_change: tuple[PlanRule, ...] = ()
    """First match wins; none matches: immediate."""
    cancel: CancelPolicy | None = None
    """Absent: no window; every cancellation waits for the end of the term, without refund."""
    suspended_billing: SuspendedBilling = SuspendedBilling.CONTINUE
    usage: UsagePolicy | None = None
    """How usage in arrears is measured; absent, usage records count by average seat-days."""
    minimum: Minimum | None = None
    """Charged up to at the end of each period; prorated in a shortened first period."""
    versions: tuple[PolicyVersion, ...] = ()
    """Carried to every line."""

    @model_validator(mode="after")
    def _a_day_rate_has_days(self) -> Self:
        if self.convention is Convention.SECOND and self.rounding is RoundingOrder.DAY_RATE_THEN_DAYS:
            raise ValueError("seconds have no day rate")
        return self

    def plan_move(self, direction: Direction) -> PlanMove:
        matching = (rule.then for rule in self.plan_change if rule.direction in {None, direction})
        return next(matching, PlanMove.IMMEDIATE)


class Terms(Frozen):
    """What was sold: a unit price for a period, and how long one is bound to it."""

    price: Price
    """Per seat (or unit) and whole period; pinned until the term ends."""
    period: Annotated[Length, Field(json_schema_extra={"default": "P1M"})] = Cadence(months=1)
    """How long one price lasts: P1M, P3M, P1Y, P30D."""
    term: Length | None = None
    """The commitment, a multiple of the period; absent: the period."""
    anchor_day: Annotated[int, Field(ge=1, le=31)] | None = None
    """Day of the month on which periods begin, clamped in short months; absent: the day on which the subscription starts."""
    anchor: date | None = None
    """Any day on which a period and a term begin, for rhythms whose months matter (quarters); its day of the month gives way to
    ``anchor_day``'s, if given."""
    charge: Charge = Charge.IN_ADVANCE
    auto_renew: bool = True

    @model_validator(mode="after")
    def _term_is_made_of_periods(self) -> Self:
        if self.term and (self.term.months % (self.period.months or 1) or bool(self.term.days) != bool(self.period.days)):
            raise ValueError("a term is a whole number of periods")
        if self.term and self.term.days % (self.period.days or 1):
            raise ValueError("a term is a whole number of periods")
        return self


def direction_between(old: Terms, new: Terms) -> Direction:
    """Compare two plans by what equal time costs."""
    old_rate, new_rate = (_price_of_a_month(terms) for terms in (old, new))
    if new_rate == old_rate:
        return Direction.SIDEGRADE
    return Direction.UPGRADE if new_rate > old_rate else Direction.DOWNGRADE


def _price_of_a_month(terms: Terms) -> Decimal:
    if terms.period.months:
        return terms.price / terms.period.months
    return terms.price * 365 / (12 * terms.period.days)
