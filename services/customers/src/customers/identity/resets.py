"""Resets: who has lost its password is mailed a link to set another.

Anybody may ask about any address, and learns nothing: the request writes one row whether somebody
has the address or not, and a worker decides later. A user is written to once in a while only; each
further link within a day is longer in coming, but none longer than the one before is good: whoever
asks and asks in somebody's name never leaves it without a link.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select, text

from chassis.database import ApiDatabase, Transaction
from chassis.due import DueItem
from chassis.ids import new_id
from contracts.root import ROOT_PARTNER_ID
from customers.rules import linking, signing_in, throttling
from customers.rules.linking import LIFETIMES
from customers.tables.customers import Customer
from customers.tables.users import User

RESET: Final = "credentials.reset"
FREE_OF_ADDRESS: Final = 20
_GAP: Final = timedelta(minutes=1)
_DAY: Final = timedelta(days=1)
_ASK: Final = text("select door.ask_reset(:login, :root, :request, :at)")


async def ask(database: ApiDatabase, now: datetime, *, email: str, address: str | None) -> None:
    """Ask for a link to be mailed to whoever has the address, if anybody has.

    Raises:
        TooManyAttempts: too many were asked for from there.
    """
    await throttling.admit_request(database, "reset", address, now, free=FREE_OF_ADDRESS)
    async with database.at_the_door() as door:
        await door.execute(_ASK, {"login": email.lower(), "root": ROOT_PARTNER_ID, "request": new_id(), "at": now})


async def send(tx: Transaction, item: DueItem) -> None:
    """Give the user a link, where there is one who may sign in; who has set no password yet is invited again."""
    user = await tx.session.get(User, (tx.partner_id, item.subject))
    if user is None or user.status == "disabled" or user.email is None:
        return
    customer = await _customer(tx, user)
    if customer is not None and (customer.status != "active" or not signing_in.customer_may(customer.management_type)):
        return
    await tx.session.refresh(user, with_for_update=True)
    made = await linking.made_since(tx, user, tx.real_now - _DAY)
    if made and tx.real_now < made[0] + min(_GAP * 2 ** len(made), LIFETIMES["password_reset"]):
        return
    if user.status == "invited":
        await linking.invite_anew(tx, user, customer)
    elif user.status == "active":
        await linking.take_back(tx, user, "password_reset")
        await linking.tell_of(tx, user, await linking.give(tx, user, "password_reset", tx.new_id()))


async def _customer(tx: Transaction, user: User) -> Customer | None:
    mine = select(Customer).where(Customer.partner_id == tx.partner_id, Customer.id == user.customer_id).with_for_update()
    return (await tx.session.scalars(mine)).one_or_none() if user.customer_id else None
