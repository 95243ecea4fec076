"""A customer, a partner or a user in hand: locked until the end of the transaction, and as the caller has seen it."""

from uuid import UUID

from sqlalchemy import select

from chassis.database import Transaction
from chassis.http.etags import Seen
from customers.errors import CustomerNotFound, PartnerNotFound, UserNotFound
from customers.tables.customers import Customer
from customers.tables.partners import Partner
from customers.tables.users import User


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


async def hold_partner(tx: Transaction, seen: Seen) -> Partner:
    """The partner whose transaction it is, for a change of itself.

    Raises:
        PartnerNotFound: there is none.
        Stale: it was changed since the caller saw it.
    """
    found = select(Partner).where(Partner.partner_id == tx.partner_id, Partner.id == tx.partner_id).with_for_update()
    partner = (await tx.session.scalars(found)).one_or_none()
    if partner is None:
        raise PartnerNotFound
    seen.admit(partner.version)
    return partner


async def hold_user(tx: Transaction, user_id: UUID, seen: Seen | None = None) -> User:
    """The user, for a change; ``seen`` where the caller must have seen it.

    Raises:
        UserNotFound: there is none.
        Stale: it was changed since the caller saw it.
    """
    found = select(User).where(User.partner_id == tx.partner_id, User.id == user_id).with_for_update()
    user = (await tx.session.scalars(found)).one_or_none()
    if user is None:
        raise UserNotFound
    if seen is not None:
        seen.admit(user.version)
    return user
