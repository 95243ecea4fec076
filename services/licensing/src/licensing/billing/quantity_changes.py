"""Quantity changes: more seats now, fewer by the decrease policy, and the quantity that waits for the renewal.

A decrease first takes back seats whose own cancel window is open; what is left follows the policy. A change that waits is
recomputed whenever something happens at once, and is told when it has become impossible.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from licensing.billing.lines import Line, Reason, charges, open_quantity
from licensing.billing.policies import Decrease
from licensing.billing.refunds import refund, window_is_open
from licensing.billing.schema import QuantityChange, RenewalQuantityChange
from licensing.billing.timeline import RenewalQuantity, Timeline


@dataclass(frozen=True, slots=True)
class Occasion:
    position: date
    instant: datetime


def change_quantity(timeline: Timeline, change: QuantityChange, when: Occasion) -> None:
    current = timeline.current
    wanted = current + (change.by or 0) if change.to is None else change.to
    if wanted < 0:
        timeline.notice(when.position, "quantity_refused", "quantity.below_zero")
    elif wanted > current:
        _increase(timeline, wanted, when)
    elif wanted < current:
        _decrease(timeline, change, wanted, when)


def _increase(timeline: Timeline, wanted: Decimal, when: Occasion) -> None:
    paid = timeline.quantity
    timeline.next_quantity = wanted if wanted < paid else None
    if wanted > paid:
        timeline.move(when.position, when.instant, Reason.INCREASE, quantity=wanted)
    reconsider_renewal(timeline, when)


def _decrease(timeline: Timeline, change: QuantityChange, wanted: Decimal, when: Occasion) -> None:
    policy = timeline.policy.decrease
    if policy is Decrease.BLOCKED:
        timeline.notice(when.position, "decrease_refused", "decrease.blocked")
        return
    refunded = _refund_seats(timeline, timeline.current - wanted, when)
    if timeline.current == wanted:
        reconsider_renewal(timeline, when)
    elif policy is Decrease.NEXT_RENEWAL and not (timeline.uncharged and timeline.term_begins):
        _wait_for_renewal(timeline, change, wanted, refunded, when)
    elif policy is Decrease.NEXT_CYCLE and not timeline.uncharged:
        timeline.next_quantity = wanted
    else:
        timeline.move(when.position, when.instant, Reason.DECREASE, quantity=wanted)
        reconsider_renewal(timeline, when)


def _refund_seats(timeline: Timeline, count: Decimal, when: Occasion) -> Decimal:
    """Take back seats whose own cancel window is still open, the latest first; gives how many."""
    left = count
    for line in reversed(charges(timeline.of_period)):
        piece = min(open_quantity(line, timeline.of_period), left)
        if piece <= 0 or not window_is_open(timeline.charged[line.id], when.instant, timeline.policy.cancel):
            continue
        if timeline.writes_at_once:
            timeline.tell(refund_now(timeline, line, when, piece), at=when.instant)
        left -= piece
    if left < count:
        timeline.quantity -= count - left
        timeline.stay(when.position)
    return count - left


def refund_now(timeline: Timeline, line: Line, when: Occasion, quantity: Decimal | None = None) -> Line:
    """Take back a charge with the refund of the cancel policy."""
    cancel = timeline.policy.cancel
    if cancel is None:
        raise ValueError("only a cancel policy refunds")
    charged = timeline.charged[line.id]
    return refund(timeline.book, charged, when.instant, next(timeline.ids), cancel.refund, quantity=quantity)


def _wait_for_renewal(timeline: Timeline, change: QuantityChange, wanted: Decimal, refunded: Decimal, when: Occasion) -> None:
    if not _renewal_is_open(timeline, when):
        return
    before = timeline.renewal
    if change.by is not None:
        waiting = before.by if before and before.lowers and before.to is None else Decimal(0)
        renewal = RenewalQuantity(by=waiting + change.by + refunded, lowers=True)
    else:
        renewal = RenewalQuantity(to=wanted, lowers=True)
    if renewal.of(timeline.current) <= 0 and timeline.auto_renew:
        timeline.notice(when.position, "renewal_quantity_refused", "renewal_quantity.zero")
    else:
        timeline.renewal = renewal


def reconsider_renewal(timeline: Timeline, when: Occasion) -> None:
    """Recompute a decrease that waits for the renewal; one that has become impossible is told."""
    renewal = timeline.renewal
    if renewal is not None and renewal.lowers and not 0 < renewal.of(timeline.current) < timeline.current:
        timeline.renewal = None
        timeline.notice(when.position, "change_superseded", "renewal_quantity.overtaken")


def set_renewal_quantity(timeline: Timeline, change: RenewalQuantityChange, when: Occasion) -> None:
    if not _renewal_is_open(timeline, when):
        return
    if change.to == 0 and timeline.auto_renew:
        timeline.notice(when.position, "renewal_quantity_refused", "renewal_quantity.zero")
    else:
        timeline.renewal = None if change.to is None else RenewalQuantity(to=change.to)


def _renewal_is_open(timeline: Timeline, when: Occasion) -> bool:
    deadline = timeline.axis.instant(timeline.term_ends) - timeline.policy.renewal_window_before
    if when.instant >= deadline:
        timeline.notice(when.position, "renewal_quantity_refused", "renewal_quantity.window_before")
    return when.instant < deadline
