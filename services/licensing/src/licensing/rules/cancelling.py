"""Cancelling: a subscription's use is over, at once or with the period that is paid.

Whoever looks at it holds its row, so it is over once, whichever comes first.
"""

from typing import Final

from sqlalchemy import select

from chassis import due
from chassis.database import Transaction
from chassis.due import DueItem
from contracts.customers.offboarding import CancelAt
from contracts.licensing.subscriptions import SubscriptionCancelled, SubscriptionCancelScheduled, SubscriptionFact
from licensing.rules import served
from licensing.rules.telling import tell_subscription
from licensing.tables.subscriptions import Subscription

END: Final = "subscription.end"


async def cancel(tx: Transaction, subscription: Subscription, at: CancelAt, reason: str) -> SubscriptionFact:
    """Cancel a subscription that this transaction holds; what is answered is to be told of it."""
    if at == "period_end" and subscription.term_end is not None and subscription.term_end > tx.now:
        subscription.status = "cancelling"
        await due.plan(tx, END, subscription.id, slot="end", at=subscription.term_end, payload={"reason": reason})
        return SubscriptionCancelScheduled(ends_at=subscription.term_end, reason=reason)
    subscription.status = "cancelled"
    return SubscriptionCancelled(cancelled_at=tx.now, reason=reason)


async def end(tx: Transaction, item: DueItem) -> None:
    """The last paid period of a cancelled subscription is over."""
    await served.stay_with(tx, item.subject)
    found = select(Subscription).where(Subscription.partner_id == tx.partner_id, Subscription.id == item.subject).with_for_update()
    subscription = (await tx.session.scalars(found)).one_or_none()
    if subscription is not None and subscription.status == "cancelling":
        subscription.status = "cancelled"
        await tell_subscription(tx, subscription, SubscriptionCancelled(cancelled_at=tx.now, reason=item.payload["reason"]))
