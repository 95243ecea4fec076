"""A customer in hand: locked until the end of the transaction, and as the caller has seen it."""

from uuid import UUID

from sqlalchemy import select

from chassis.database import Transaction
from chassis.http.etags import Seen
from customers.errors import CustomerNotFound
from customers.tables.customers import Customer


async def hold(tx: Transaction, customer_id: UUID, seen: Seen) -> Customer:
    """The customer, for a change.

    Raises:
        CustomerNotFound: there is none.
        Stale: it was changed since the caller saw it.
    """
    found = select(Customer).where(Customer.partner_id == tx.partner_id, Customer.id == customer_id).with_for_update()
    customer = (await tx.session.scalars(found)).one_or_none()
    if customer is None:
        raise CustomerNotFound
    seen.admit(customer.version)
    return customer
