"""Running a case: from its purchase or conversion through every change to the day until which it is rated.

Changes are taken by day, those of one day in the order given. One that falls on the first day of a period comes before
that period is charged; one that meets a subscription before its start or after its end is noticed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from licensing.billing.changes import grid_of
from licensing.billing.dated_changes import apply
from licensing.billing.lines import Line, Reason
from licensing.billing.periods import TrialEnd
from licensing.billing.policies import Charge, Terms, UsageMode
from licensing.billing.proration import Axis, Convention, Moment, local_day
from licensing.billing.purchases import CoTermRefused, co_termed
from licensing.billing.quantity_changes import Occasion
from licensing.billing.schema import Case, Change, Conversion, QuantityChange, Simple, Termination, Trial
from licensing.billing.timeline import Notice, Timeline, term_grid_of
from licensing.billing.usage import levels_of


@dataclass(frozen=True, slots=True)
class Told:
    lines: tuple[Line, ...] = ()
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True, slots=True)
class Paid:
    """The beginning of what is charged, and the changes after it."""

    on: Moment
    quantity: Decimal
    reason: Reason
    changes: tuple[Change, ...]
    told_before: bool = False


def run(case: Case, axis: Axis, trial_ends: TrialEnd | None, ids: Iterator[UUID]) -> Told:
    if case.terms is None:
        return Told()
    paid = _paid(case, axis, trial_ends)
    if paid is None:
        return Told()
    try:
        terms = _terms(case, case.terms)
    except CoTermRefused:
        return Told(notices=(Notice(on=paid.on, code="co_term_refused", rule="co_term.longer_than_other"),))
    timeline = _opened(case, terms, paid, axis, ids)
    already_told = {line.id for line in timeline.told} if paid.told_before else set()
    for change in _in_order(paid.changes, case.until, axis):
        _take(timeline, change, axis.position(paid.on))
    _finish(timeline, None if case.until is None else axis.position(case.until))
    return Told(tuple(line for line in timeline.told if line.id not in already_told), tuple(timeline.notices))


def _paid(case: Case, axis: Axis, trial_ends: TrialEnd | None) -> Paid | None:
    if case.start:
        start = case.start
        return Paid(start.on, start.quantity, Reason.FIRST_PERIOD, case.changes, start.already_charged)
    if case.trial is None or trial_ends is None:
        return None
    if case.policy.usage and case.policy.usage.trials_billable:
        return _paid_from_the_trials_start(case, case.trial, trial_ends)
    quantity = case.trial.quantity
    for place, change in enumerate(sorted(case.changes, key=lambda change: axis.position(change.on))):
        match change:
            case Conversion():
                later = tuple(sorted(case.changes, key=lambda change: axis.position(change.on)))[place + 1 :]
                return Paid(change.on, quantity if change.quantity is None else change.quantity, Reason.CONVERSION, later)
            case QuantityChange():
                quantity = quantity + (change.by or 0) if change.to is None else change.to
            case Termination() | Simple(kind="cancel"):
                return None
            case _:
                continue
    return None


def _paid_from_the_trials_start(case: Case, trial: Trial, trial_ends: TrialEnd) -> Paid:
    changes = tuple(change for change in case.changes if not isinstance(change, Conversion))
    if len(changes) == len(case.changes):
        last_day = trial_ends.local.date() - timedelta(days=case.policy.convention is Convention.DAY_INCLUSIVE)
        changes = (*changes, Termination(kind="terminate", on=last_day))
    return Paid(trial.starts, trial.quantity, Reason.FIRST_PERIOD, changes)


def _terms(case: Case, terms: Terms) -> Terms:
    if case.start is None or case.start.co_term is None:
        return terms
    co_term = case.start.co_term
    return co_termed(terms, co_term.last_day, co_term.kind, co_term.period)


def _opened(case: Case, terms: Terms, paid: Paid, axis: Axis, ids: Iterator[UUID]) -> Timeline:
    starts_on = local_day(axis.position(paid.on), axis)
    grid = grid_of(terms, starts_on)
    only_records = case.policy.usage is not None and case.policy.usage.mode is UsageMode.SUM
    timeline = Timeline(
        terms=terms,
        policy=case.policy,
        currency=case.currency,
        zone=case.zone,
        ids=ids,
        quantity=paid.quantity,
        grid=grid,
        period=grid.containing(starts_on),
        term_grid=term_grid_of(terms, grid, starts_on),
        usage=levels_of(case.usage, axis) if case.usage or only_records else None,
        auto_renew=terms.auto_renew,
    )
    timeline.begin(timeline.period, axis.position(paid.on))
    timeline.charge_period(axis.instant(paid.on), paid.reason)
    return timeline


def _in_order(changes: Sequence[Change], until: Moment | None, axis: Axis) -> list[Change]:
    end = None if until is None else axis.position(until)
    seen = [
        change
        for change in changes
        if end is None or _position(change, axis) < end or (isinstance(change, Termination) and _position(change, axis) == end)
    ]
    return sorted(seen, key=lambda change: _position(change, axis))


def _position(change: Change, axis: Axis) -> date:
    return axis.end_of_use(change.on) if isinstance(change, Termination) else axis.position(change.on)


def _take(timeline: Timeline, change: Change, start: date) -> None:
    at = _position(change, timeline.axis)
    while not timeline.ended and at >= timeline.ends:
        timeline.charge_period()
        timeline.roll()
    if timeline.ended or at < start:
        timeline.notice(at, "change_refused", "subscription.not_running")
        return
    if at > timeline.stays[0].starts:
        timeline.charge_period()
    apply(timeline, change, Occasion(at, timeline.axis.instant(change.on)))


def _finish(timeline: Timeline, until: date | None) -> None:
    while until is not None and not timeline.ended and timeline.ends < until:
        timeline.charge_period()
        timeline.roll()
    timeline.charge_period()
    if timeline.ended:
        return
    if until is None or timeline.ends == until:
        timeline.close(timeline.ends)
    elif timeline.terms.charge is Charge.IN_ADVANCE:
        timeline.recharge(timeline.ends)
