"""Purging: nothing is left of a deleted customer, here or anywhere, and every service has said so (CUS-63, C-2).

The customer's row goes at once and takes along what points at it; its topics are told its ending.
The purge stays open until each service has answered ``customer.erased``, and asks again while one is
silent. What is kept are ids and counts: the deletion, and what billing was told.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, or_, select
from sqlalchemy.dialects.postgresql import insert

from chassis import due
from chassis.consumers import Event
from chassis.database import About, Transaction
from chassis.due import DueItem
from chassis.erasing import Erasing, Gone
from contracts.any.erasing import CustomerErased
from contracts.customers.customers import CustomerChanged
from contracts.customers.offboarding import ERASERS, CustomerPurged
from contracts.customers.users import UserChanged
from customers.rules import bundle_pieces, rights_history, roles
from customers.rules.going import hold_deletion
from customers.tables.customers import Customer
from customers.tables.drafts import Draft
from customers.tables.imports import Import
from customers.tables.known import subscriptions
from customers.tables.offboarding import Deletion, Erasure
from customers.tables.users import User

ASK_AGAIN: Final = "customer.purge_again"
_ACROSS: Final = {"across_partners": "nothing may be left of a purged customer, whosever it was once"}
_PATIENCE: Final = timedelta(hours=1)
_LONGEST: Final = timedelta(days=1)


async def purge(tx: Transaction, item: DueItem) -> None:
    """The time in which it could come back is over."""
    found = select(Customer).where(Customer.partner_id == tx.partner_id, Customer.id == item.subject).with_for_update()
    customer = (await tx.session.scalars(found)).one_or_none()
    deletion = await hold_deletion(tx, item.subject)
    if customer is None or deletion is None or customer.status != "deleted":
        return
    if deletion.recoverable_until is None or deletion.recoverable_until > tx.now:
        return
    users = await _users(tx, customer)
    await roles.forget_customer(tx, customer.id)
    await rights_history.erase_customer(tx, customer.id)
    await bundle_pieces.forget(tx, customer.id)
    deletion.status, deletion.purged_version = "purging", customer.version + 1
    deletion.data_region = customer.data_region
    deletion.user_ids, deletion.request_ids = [one.id for one in users], await _forget_requests(tx, customer, users)
    await tx.session.flush()
    _tell(tx, deletion)
    tx.tell(CustomerChanged.ending(), about=_about(tx, deletion), urgent=True)
    for user in users:
        about = tx.entity("user", user.id, version=user.version + 1, customer_id=customer.id, data_region=customer.data_region)
        tx.tell(UserChanged.ending(), about=about)
    tx.session.expunge_all()
    await tx.session.execute(delete(Customer).where(Customer.partner_id == tx.partner_id, Customer.id == item.subject))
    await _again(tx, item.subject, times=0)


async def _forget_requests(tx: Transaction, customer: Customer, users: Sequence[User]) -> list[UUID]:
    """The draft that it was once, and imports of whoever asked for it by an address of its people; answers which."""
    said = {customer.contact["email"], customer.first_admin["email"], *(one.email for one in users)}
    addresses = [one.lower() for one in said if one]
    asked = delete(Import).where(or_(Import.customer_id == customer.id, Import.email_key.in_(addresses))).returning(Import.id)
    begun = delete(Draft).where(Draft.customer_id == customer.id).returning(Draft.id)
    options = _ACROSS | {"synchronize_session": False}
    return [request_id for one in (asked, begun) for request_id in await tx.session.scalars(one, execution_options=options)]


async def _users(tx: Transaction, customer: Customer) -> list[User]:
    found = select(User).where(User.partner_id == tx.partner_id, User.customer_id == customer.id).order_by(User.id).with_for_update()
    return list(await tx.session.scalars(found))


def _about(tx: Transaction, deletion: Deletion) -> About:
    version, region = deletion.purged_version or 0, deletion.data_region
    return tx.entity("customer", deletion.id, version=version, customer_id=deletion.id, data_region=region)


def _tell(tx: Transaction, deletion: Deletion) -> None:
    tx.tell(CustomerPurged(user_ids=deletion.user_ids, request_ids=deletion.request_ids), about=_about(tx, deletion))


async def ask_again(tx: Transaction, item: DueItem) -> None:
    """Tell the purge anew while somebody has not answered; who has, does it once more."""
    deletion = await hold_deletion(tx, item.subject)
    if deletion is None or deletion.status != "purging":
        return
    _tell(tx, deletion)
    await _again(tx, item.subject, times=int(item.payload["times"]) + 1)


async def _again(tx: Transaction, customer_id: UUID, *, times: int) -> None:
    """After an hour, and each time twice as long, a day at most; silence is of real time."""
    wait = min(_PATIENCE * 2 ** min(times, 10), _LONGEST)
    at = tx.now if tx.sandbox else tx.real_now
    await due.plan(tx, ASK_AGAIN, customer_id, slot="again", at=at, wait=wait, payload={"times": times})


async def hear(tx: Transaction, event: Event[CustomerErased]) -> None:
    """A service has forgotten the customer; when all have, the purge is over."""
    deletion = await hold_deletion(tx, event.envelope.subject)
    if deletion is None or deletion.status != "purging":
        return
    values: dict[str, Any] = {"counts": event.record.counts, "answered_at": tx.real_now}
    answer = insert(Erasure).values(partner_id=tx.partner_id, customer_id=deletion.id, service=event.record.service, **values)
    await tx.session.execute(answer.on_conflict_do_nothing())
    given = select(Erasure.service).where(Erasure.partner_id == tx.partner_id, Erasure.customer_id == deletion.id)
    if set(await tx.session.scalars(given)) >= ERASERS:
        deletion.status, deletion.purged_at = "purged", tx.real_now
        await due.withdraw(tx, ASK_AGAIN, deletion.id)


async def _forget(tx: Transaction, gone: Gone) -> dict[str, int]:
    """What points at the customer went with it; here is what does not."""
    known = delete(subscriptions).where(subscriptions.c.customer_id == gone.customer_id).returning(subscriptions.c.id)
    left: list[UUID] = list((await tx.session.execute(known, execution_options=_ACROSS)).scalars())
    return {"customers": 1, "users": len(gone.user_ids), "subscriptions": len(left)}


ERASING: Final = Erasing(service="customers", follows=(), forget=_forget)
