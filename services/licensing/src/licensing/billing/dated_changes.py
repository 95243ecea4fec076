"""Dated changes: what each kind of change does to a timeline.

A change moves the timeline, or waits in it for the next cycle or renewal, or is refused with a notice that names the rule;
nothing is dropped silently.
"""

from licensing.billing.lines import Reason, charges, open_quantity
from licensing.billing.policies import ChangeLines, Charge, Outside, PlanMove, SuspendedBilling, direction_between
from licensing.billing.quantity_changes import Occasion, change_quantity, reconsider_renewal, refund_now, set_renewal_quantity
from licensing.billing.refunds import window_is_open
from licensing.billing.schema import (
    AutoRenewal,
    Change,
    Conversion,
    PlanChange,
    PriceChange,
    QuantityChange,
    RenewalQuantityChange,
    Simple,
    Termination,
)
from licensing.billing.timeline import Timeline


def apply(timeline: Timeline, change: Change, when: Occasion) -> None:
    match change:
        case QuantityChange():
            change_quantity(timeline, change, when)
        case RenewalQuantityChange():
            set_renewal_quantity(timeline, change, when)
        case PlanChange():
            _change_plan(timeline, change, when)
        case Termination():
            _terminate(timeline, change, when)
        case Simple():
            _SIMPLE[change.kind](timeline, when)
        case _:
            _note(timeline, change, when)


def _note(timeline: Timeline, change: PriceChange | AutoRenewal | Conversion, when: Occasion) -> None:
    match change:
        case PriceChange():
            timeline.listed_price = change.price
        case AutoRenewal():
            timeline.auto_renew = change.auto_renew
        case Conversion():
            timeline.notice(when.position, "conversion_refused", "trial.already_converted")


def _change_plan(timeline: Timeline, change: PlanChange, when: Occasion) -> None:
    old = timeline.terms
    same_period = change.period in {None, old.period}
    same_rhythm = same_period and change.anchor_day in {None, timeline.grid.anchor_day}
    update = {"price": change.price, "period": change.period or old.period}
    if not same_rhythm:
        update |= {"anchor": None, "anchor_day": change.anchor_day, "term": old.term if same_period else None}
    if change.term:
        update |= {"term": change.term}
    new = old.model_validate(old.model_copy(update=update).model_dump())
    allowed = timeline.policy.plan_move(direction_between(old, new))
    if allowed is PlanMove.REFUSED:
        timeline.notice(when.position, "plan_change_refused", "plan_change.refused")
    elif allowed is PlanMove.END_OF_TERM:
        timeline.next_terms = (new, change.quantity)
    else:
        if timeline.next_terms:
            timeline.next_terms = None
            timeline.notice(when.position, "change_superseded", "plan_change.overtaken")
        if same_rhythm and new.term == old.term:
            timeline.move(when.position, when.instant, Reason.PLAN_CHANGE, quantity=change.quantity, price=change.price)
        else:
            timeline.switch(new, when.position, when.instant, change.quantity)
        reconsider_renewal(timeline, when)


def _terminate(timeline: Timeline, change: Termination, when: Occasion) -> None:
    if not timeline.uncharged:
        if timeline.terms.charge is Charge.IN_ADVANCE and not change.credit:
            timeline.close(timeline.ends)
        else:
            if timeline.writes_at_once:
                timeline.credit_rest(when.position, when.instant, Reason.TERMINATION)
            timeline.close(when.position)
    timeline.ended = True


def _cancel(timeline: Timeline, when: Occasion) -> None:
    cancel = timeline.policy.cancel
    timeline.charge_period()
    charged = charges(timeline.of_period)
    if charged and window_is_open(timeline.charged[charged[0].id], when.instant, cancel):
        if timeline.policy.change_lines is ChangeLines.CREDIT_AND_RECHARGE:
            timeline.close(timeline.ends)
        for line in reversed(charges(timeline.of_period)):
            if open_quantity(line, timeline.of_period) > 0:
                timeline.tell(refund_now(timeline, line, when), at=when.instant)
        timeline.ended = True
    elif cancel and cancel.outside is Outside.REFUSED:
        timeline.notice(when.position, "cancel_refused", "cancel.window")
    else:
        timeline.cancelling = True
        if cancel:
            timeline.notice(when.position, "refund_refused", "cancel.window")


def _take_back_cancellation(timeline: Timeline, when: Occasion) -> None:
    if not timeline.cancelling:
        timeline.notice(when.position, "take_back_refused", "cancel.nothing_waits")
    timeline.cancelling = False


def _suspend(timeline: Timeline, when: Occasion) -> None:
    if timeline.suspended:
        return
    timeline.suspended = True
    billing = timeline.policy.suspended_billing
    paid_already = timeline.terms.charge is Charge.IN_ADVANCE and not timeline.uncharged
    if billing is SuspendedBilling.CONTINUE or (billing is SuspendedBilling.STOP and paid_already):
        return
    if timeline.writes_at_once and paid_already:
        timeline.credit_rest(when.position, when.instant, Reason.SUSPENSION)
    timeline.stay(when.position, billable=False)


def _resume(timeline: Timeline, when: Occasion) -> None:
    timeline.suspended = False
    if timeline.stays[-1].billable:
        return
    timeline.stay(when.position, billable=True)
    if timeline.writes_at_once and not timeline.uncharged:
        timeline.charge(when.position, Reason.RESUMPTION, when.instant)


def _split(timeline: Timeline, when: Occasion) -> None:
    timeline.stay(when.position, cut=True)


_SIMPLE = {
    "cancel": _cancel,
    "take_back_cancellation": _take_back_cancellation,
    "suspend": _suspend,
    "resume": _resume,
    "split": _split,
}
