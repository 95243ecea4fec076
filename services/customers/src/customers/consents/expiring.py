"""Expiring: what nobody answered in time, and leave that was granted for a time, ends by itself (BEY-14)."""

from typing import Final

from chassis.database import Transaction
from chassis.due import Due, DueItem
from chassis.http.etags import Seen
from customers.errors import CustomerNotFound
from customers.rules import asking, consenting, outcomes
from customers.rules.holding import hold
from customers.tables.consents import Consent

_ANY: Final = Seen(None)


async def expire(tx: Transaction, item: DueItem) -> None:
    """End a consent whose time is over. One that was settled meanwhile, or went elsewhere with its customer, is left as it is."""
    found = await tx.session.get(Consent, (tx.partner_id, item.subject))
    if found is None:
        return
    try:
        customer = await hold(tx, found.customer_id, _ANY)
    except CustomerNotFound:
        return
    consent = await consenting.hold(tx, item.subject)
    if consent.state != item.slot or consent.expires_at is None or consent.expires_at > tx.now:
        return
    await consenting.settle(tx, customer, consent, "expired", evidence=asking.BY_TIME)
    await outcomes.follow(tx, customer, consent)


DUE: Final = Due(consenting.EXPIRE, expire)
