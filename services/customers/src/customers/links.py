"""Links, asked for a second time: for who lost the mail or came too late (NOT-12, CUS-25).

The new link takes the place of all earlier ones. A partner's user is invited again; a
customer's first admin is welcomed again, because its customer's state names the new link.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, select

from chassis.database import Read, Reading, Transaction
from chassis.http.views import View
from contracts.customers.credentials import LinkPurpose
from customers.errors import CustomerNotServed, PasswordSet, UserDisabled, UserNotFound
from customers.rules import linking
from customers.tables.customers import Customer
from customers.tables.users import User

_WELCOMED: Final = frozenset({"pending_review", "active"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLink:
    """``customer_id`` is whose first admin the user is; None for a user of the partner itself."""

    user_id: UUID
    customer_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """To whom a user belongs."""

    partner_id: UUID
    customer_id: UUID | None


class LinkView(View, frozen=True, kw_only=True):
    """A link that is on its way by mail: a welcome to a customer's first admin, an invitation to a partner's user."""

    user_id: UUID
    purpose: LinkPurpose
    expires_at: datetime


def _whose(relation: Any, _shape: Any) -> Any:
    return select(relation.c.partner_id, relation.c.customer_id).where(relation.c.id == bindparam("id"))


_USER: Final = Reading(User, _whose)
_CUSTOMER: Final = Reading(Customer, lambda r, _shape: select(r.c.id).where(r.c.id == bindparam("id")), customer="id")


async def whose(read: Read, user_id: UUID) -> Whose:
    """To whom a user belongs, which decides who may ask for its link.

    Raises:
        UserNotFound: there is none that the reader sees.
    """
    row = await read.row(_USER, id=user_id)
    if row is None or (row["customer_id"] is not None and await read.row(_CUSTOMER, id=row["customer_id"]) is None):
        raise UserNotFound
    return Whose(partner_id=row["partner_id"], customer_id=row["customer_id"])


async def request(tx: Transaction, command: RequestLink) -> LinkView:
    """Give the user a new link and have it mailed.

    Raises:
        UserNotFound: there is none.
        UserDisabled: it may not sign in any more.
        PasswordSet: a user of the partner has used its link.
        CustomerNotServed: its customer is not active, so nothing is mailed to it.
    """
    customer = await _customer(tx, command.customer_id)
    user = await _user(tx, command)
    if user.status == "disabled":
        raise UserDisabled
    if customer is None and user.status == "active":
        raise PasswordSet
    link = await linking.invite_anew(tx, user, customer)
    return LinkView(user_id=user.id, purpose=link.purpose, expires_at=link.expires_at)


async def _customer(tx: Transaction, customer_id: UUID | None) -> Customer | None:
    if customer_id is None:
        return None
    found = select(Customer).where(Customer.partner_id == tx.partner_id, Customer.id == customer_id).with_for_update()
    customer = (await tx.session.scalars(found)).one_or_none()
    if customer is None:
        raise UserNotFound
    if customer.status not in _WELCOMED:
        raise CustomerNotServed(status=customer.status)
    return customer


async def _user(tx: Transaction, command: RequestLink) -> User:
    found = select(User).where(User.partner_id == tx.partner_id, User.id == command.user_id).with_for_update()
    user = (await tx.session.scalars(found)).one_or_none()
    if user is None or user.customer_id != command.customer_id:
        raise UserNotFound
    return user
