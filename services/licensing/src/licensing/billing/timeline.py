"""The timeline: one subscription from its first paid day on, period after period.

It keeps the stretches of the current period in which price, quantity and billing stayed the same, and the lines told for
it. In advance with ``delta`` a move writes its lines at once; otherwise the stretches become lines when the period closes.
A period is charged as late as possible on its first day, so that what changes on that day counts for the whole of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from licensing.billing.changes import Basis, Book, Part, grid_of, rate_part, rate_parts, recharge, take_back
from licensing.billing.closing import Stay, parts_of, true_up, usage_line
from licensing.billing.lines import Line, Reason
from licensing.billing.periods import Grid, Period
from licensing.billing.policies import ChangeLines, Charge, Frozen, Policy, SuspendedBilling, Terms
from licensing.billing.proration import Axis, Moment, local_day
from licensing.billing.refunds import Charged
from licensing.billing.usage import Level, Stretch


class Notice(Frozen):
    """Something that was refused or did not happen as asked, by the rule that decided."""

    on: Moment
    code: str
    rule: str


@dataclass(frozen=True, slots=True)
class RenewalQuantity:
    """A quantity that waits for the renewal: fixed, or a difference that is recomputed from the current one."""

    to: Decimal | None = None
    by: Decimal = Decimal(0)
    lowers: bool = False

    def of(self, current: Decimal) -> Decimal:
        return current + self.by if self.to is None else self.to


@dataclass(slots=True, kw_only=True)
class Timeline:
    terms: Terms
    policy: Policy
    currency: str
    zone: ZoneInfo
    ids: Iterator[UUID]
    quantity: Decimal
    grid: Grid
    period: Period
    usage: tuple[Level, ...] | None = None
    term_grid: Grid | None = None
    listed_price: Decimal | None = None
    next_quantity: Decimal | None = None
    renewal: RenewalQuantity | None = None
    next_terms: tuple[Terms, Decimal | None] | None = None
    auto_renew: bool = True
    cancelling: bool = False
    suspended: bool = False
    ended: bool = False
    uncharged: bool = True
    term_begins: bool = True
    stays: list[Stay] = field(default_factory=list)
    told: list[Line] = field(default_factory=list)
    of_period: list[Line] = field(default_factory=list)
    charged: dict[UUID, Charged] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)

    @property
    def axis(self) -> Axis:
        return Axis(self.policy.convention, self.zone)

    @property
    def basis(self) -> Basis:
        return Basis(price=self.terms.price, currency=self.currency, policy=self.policy, zone=self.zone)

    @property
    def book(self) -> Book:
        return Book(self.basis, self.period, self.of_period)

    @property
    def ends(self) -> date:
        return self.axis.position(self.period.ends)

    @property
    def current(self) -> Decimal:
        return self.quantity if self.next_quantity is None else self.next_quantity

    @property
    def term_ends(self) -> date:
        """The local date on which the running term is over."""
        if self.term_grid is None:
            return self.period.ends
        # A shortened first period by anchor day comes on top of the first term; an anchor date shortens the term itself.
        begun = self.period.starts if self.terms.anchor else max(self.period.starts, self.term_grid.origin)
        return self.term_grid.containing(begun).ends

    @property
    def writes_at_once(self) -> bool:
        return self.terms.charge is Charge.IN_ADVANCE and self.policy.change_lines is ChangeLines.DELTA

    def tell(self, *lines: Line, at: datetime) -> None:
        self.of_period += lines
        self.told += lines
        self.charged.update({line.id: Charged(line, at) for line in lines if line.corrects is None})

    def notice(self, on: date, code: str, rule: str) -> None:
        self.notices.append(Notice(on=on, code=code, rule=rule))

    def charge(self, at: date, reason: Reason, opened_at: datetime) -> None:
        """Charge the running price and quantity from a position to the end of the period."""
        if not self.quantity or at >= self.ends:
            return
        part = Part(starts=at, ends=self.ends, price=self.terms.price, quantity=self.quantity)
        self.tell(rate_part(self.book, part, next(self.ids), reason), at=opened_at)

    def charge_period(self, opened_at: datetime | None = None, reason: Reason | None = None) -> None:
        """Charge a period that has begun and is not charged yet."""
        if not self.uncharged or self.ended:
            return
        self.uncharged = False
        if self.terms.charge is Charge.IN_ADVANCE and self.stays[-1].billable:
            later = Reason.RENEWAL if self.term_begins else Reason.PERIOD
            starts = self.stays[-1].starts
            self.charge(starts, reason or later, opened_at or self.axis.instant(starts))

    def move(self, at: date, opened_at: datetime, reason: Reason, *, quantity: Decimal | None = None, price: Decimal | None = None) -> None:
        """Change quantity or price inside the period, or before it is charged."""
        old_quantity, new_price = self.quantity, self.terms.price if price is None else price
        other_price = new_price != self.terms.price
        if self._rates_moves() and other_price:
            self.credit_rest(at, opened_at, reason)
        self.quantity = old_quantity if quantity is None else quantity
        self.terms = self.terms.model_copy(update={"price": new_price})
        self.stay(at)
        if not self._rates_moves():
            return
        if other_price:
            self.charge(at, reason, opened_at)
        elif self.quantity > old_quantity:
            part = Part(starts=at, ends=self.ends, price=new_price, quantity=self.quantity - old_quantity)
            self.tell(rate_part(self.book, part, next(self.ids), reason), at=opened_at)
        elif self.quantity < old_quantity:
            self.credit_rest(at, opened_at, reason, old_quantity - self.quantity)

    def stay(self, at: date, *, billable: bool | None = None, cut: bool = False) -> None:
        """Begin a new stretch with what holds now."""
        was_billable = self.stays[-1].billable
        self.stays.append(Stay(at, self.terms.price, self.quantity, was_billable if billable is None else billable, cut))

    def credit_rest(self, at: date, opened_at: datetime, reason: Reason, quantity: Decimal | None = None) -> None:
        lines = take_back(self.book, at, self.ids, reason=reason, quantity=quantity)
        self.tell(*lines, at=opened_at)

    def close(self, at: date) -> None:
        """Turn the stretches up to a position into the lines that were not written at once."""
        at_instant = self.axis.instant(at)
        if self.terms.charge is Charge.IN_ADVANCE:
            self.recharge(at)
        elif self.usage is None and self.policy.usage is None:
            self.tell(*rate_parts(self.book, parts_of(self.stays, at), self.ids, Reason.PERIOD), at=at_instant)
        else:
            line = usage_line(self.book, self.stays, at, self.usage, next(self.ids))
            self.tell(*filter(None, [line]), at=at_instant)
        if self.policy.minimum and at > self.stays[0].starts:
            part = Stretch(self.stays[0].starts, at)
            line = true_up(self.book, self.policy.minimum, part, next(self.ids))
            self.tell(*filter(None, [line]), at=at_instant)

    def recharge(self, until: date) -> None:
        """With ``credit_and_recharge`` write what the moves of the period so far come to; at once they were written else."""
        if self.policy.change_lines is ChangeLines.CREDIT_AND_RECHARGE:
            lines = recharge(self.book, parts_of(self.stays, until), self.ids)
            self.tell(*lines, at=self.axis.instant(until))

    def roll(self) -> None:
        """Close the period and begin the next one, or end with the term."""
        boundary = self.period.ends
        self.close(self.ends)
        self.term_begins = boundary >= self.term_ends
        if self.term_begins:
            self._renew(boundary)
        self.quantity = self.current
        self.next_quantity = None
        if not self.ended:
            self.begin(self.grid.containing(boundary), self.axis.position(boundary))

    def begin(self, period: Period, at: date) -> None:
        """Begin a period, or the rest of one, that is not charged yet."""
        billable = not self.suspended or self.policy.suspended_billing is SuspendedBilling.CONTINUE
        self.period = period
        # A period that begins today is whole, however late in the day that is.
        starts = self.axis.position(period.starts) if local_day(at, self.axis) == period.starts else at
        self.stays = [Stay(starts, self.terms.price, self.quantity, billable)]
        self.of_period = []
        self.uncharged = True

    def switch(self, terms: Terms, at: date, opened_at: datetime, quantity: Decimal | None) -> None:
        """Leave the running period for one of another rhythm (V01)."""
        charged_before = not self.uncharged
        if charged_before:
            if self.writes_at_once:
                self.credit_rest(at, opened_at, Reason.PLAN_CHANGE)
            self.close(at)
        self.use_terms(terms, local_day(at, self.axis))
        self.quantity = self.quantity if quantity is None else quantity
        self.begin(self.grid.containing(local_day(at, self.axis)), at)
        if charged_before:
            self.charge_period(opened_at, Reason.PLAN_CHANGE)

    def use_terms(self, terms: Terms, on: date) -> None:
        """Take other terms from a local date on; another rhythm gets periods of its own."""
        old, self.terms = self.terms, terms
        if (terms.period, terms.term, terms.anchor, terms.anchor_day) == (old.period, old.term, old.anchor, old.anchor_day):
            return
        self.grid = grid_of(terms, on)
        self.term_grid = term_grid_of(terms, self.grid, on)

    def _rates_moves(self) -> bool:
        return self.writes_at_once and not self.uncharged and self.stays[-1].billable

    def _renew(self, boundary: date) -> None:
        if self.cancelling or not self.auto_renew:
            self.ended = True
            return
        if self.renewal is not None:
            self.next_quantity = self.renewal.of(self.current)
        price = self.terms.price if self.listed_price is None else self.listed_price
        self.terms = self.terms.model_copy(update={"price": price})
        if self.next_terms:
            terms, quantity = self.next_terms
            self.next_quantity = self.next_quantity if quantity is None else quantity
            self.use_terms(terms, boundary)
        self.renewal = self.next_terms = self.listed_price = None


def term_grid_of(terms: Terms, grid: Grid, starts_on: date) -> Grid | None:
    """Give the terms' own rhythm where a term is longer than a period."""
    if terms.term is None or terms.term == terms.period:
        return None
    if terms.anchor:
        return replace(grid, cadence=terms.term)
    first = grid.containing(starts_on)
    origin = first.starts if first.starts == starts_on else first.ends
    return Grid(origin=origin, anchor_day=grid.anchor_day, cadence=terms.term)
