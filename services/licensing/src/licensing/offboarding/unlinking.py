"""Unlinking: licences under the partner's own programme end when it runs the customer no longer (CUS-61).

Trials and licences with a serial number of the customer's own go on under the root party. That a licence
ends is told by the partner whose it was; how it is now, by whoever has the customer at this moment.
"""

from typing import Final

from sqlalchemy import select

from chassis.consumers import Event
from chassis.database import Transaction
from contracts.customers.offboarding import CustomerUnlinked
from licensing.rules import cancelling
from licensing.rules.telling import tell_subscription
from licensing.tables.subscriptions import Subscription

REASON: Final = "unlinked"
_RUNNING: Final = ("active", "suspended")


async def follow(tx: Transaction, event: Event[CustomerUnlinked]) -> None:
    """Cancel what was the partner's own, as the policy said."""
    owned = (
        select(Subscription)
        .where(Subscription.customer_id == event.envelope.subject, Subscription.partner_owned, Subscription.status.in_(_RUNNING))
        .order_by(Subscription.id)
        .with_for_update()
    )
    across = {"across_partners": "the customer may have gone before its licences", "populate_existing": True}
    for subscription in await tx.session.scalars(owned, execution_options=across):
        await _cancel(tx, subscription, event.record)


async def _cancel(tx: Transaction, subscription: Subscription, said: CustomerUnlinked) -> None:
    if subscription.partner_id == tx.partner_id:
        fact = await cancelling.cancel(tx, subscription, said.partner_owned_licences, REASON)
        await tell_subscription(tx, subscription, fact)
        return
    async with tx.beside(subscription.partner_id) as now:
        fact = await cancelling.cancel(now, subscription, said.partner_owned_licences, REASON)
        await now.session.flush()
        tx.tell(fact, about=tx.entity("subscription", subscription.id, version=subscription.version, customer_id=subscription.customer_id))
        await tell_subscription(now, subscription)
