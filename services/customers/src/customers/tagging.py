"""Tags: how a partner marks its customers, for lists, rules and roles to select by (MKT-01)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from chassis.database import Transaction
from chassis.http.etags import Seen
from contracts.customers.customers import CustomerTagged
from customers.errors import TooManyTags
from customers.rules import actions, capabilities
from customers.rules.holding import hold
from customers.rules.telling import tell_customer
from customers.tables.customers import Customer

MOST: Final = 50
"""Tags that one customer has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TagCustomer:
    """``seen`` is the version that the caller has seen; ``tags`` are all that the customer is to have."""

    customer_id: UUID
    seen: Seen
    tags: Sequence[str]


async def tag(tx: Transaction, command: TagCustomer) -> Customer:
    """Give a customer its tags. Those it has already are told to nobody.

    Raises:
        CustomerNotFound: there is none.
        StatusForbids: it is gone.
        TooManyTags: it would have more than there may be.
    """
    customer = await hold(tx, command.customer_id, command.seen)
    await capabilities.require(tx, actions.TAG, customer)
    before, after = set(customer.tags), set(command.tags)
    if len(after) > MOST:
        raise TooManyTags(most=MOST)
    if before != after:
        customer.tags = sorted(after)
        customer.updated_at = tx.now
        await tx.session.flush()
        tell_customer(tx, customer, CustomerTagged(added=sorted(after - before), removed=sorted(before - after)), urgent=True)
    return customer
