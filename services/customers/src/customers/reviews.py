"""Reviews: customers that are held, and what a person decides about them (CUS-13, CUS-14).

Nothing is provisioned or mailed for a customer in review. Cleared, one that was established goes
back to where it was. Rejected, it is disabled, because what it has does not go away by that, until an
operator enables it or clears a later review; a new one never becomes a customer: its addresses and
company are free again, so that a corrected application is not refused by the wrong one.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import FromClause, Select, bindparam, delete, select, update
from sqlalchemy.orm.attributes import flag_modified

from chassis.database import Read, Reading, Transaction
from chassis.http.etags import Seen
from chassis.http.lists import Listing, Paged, Sorts, Wanted
from chassis.http.views import Stored, View
from contracts.customers.credentials import CredentialLinkRequested
from contracts.customers.customers import Company, Contact, CustomerReviewCleared, CustomerReviewRejected
from contracts.customers.users import UserUpdated
from customers.errors import CustomerNotFound
from customers.rules import actions, capabilities
from customers.rules.capabilities import Action
from customers.rules.holding import hold
from customers.rules.linking import LIFETIMES
from customers.rules.telling import tell_customer, tell_user
from customers.tables.customers import Customer, Review
from customers.tables.links import Link
from customers.tables.users import User


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearReview:
    """``seen`` is the version of the customer that the reviewer decided on."""

    customer_id: UUID
    seen: Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectReview:
    customer_id: UUID
    seen: Seen
    reason: str


async def clear(tx: Transaction, command: ClearReview) -> Customer:
    """Let the customer go on. The welcome link of a new one begins to run now."""
    customer = await _held(tx, actions.CLEAR_REVIEW, command.customer_id, command.seen)
    reviewer, held_from = await _decide(tx, customer, "cleared", reason=None)
    customer.status = held_from or "active"
    customer.rejected_for = None
    customer.updated_at = tx.now
    await tx.session.flush()
    tell_customer(tx, customer, CustomerReviewCleared(reviewed_by=reviewer))
    if customer.welcome_link_id is not None and not held_from:
        await _renew_welcome(tx, customer, customer.welcome_link_id)
    return customer


async def reject(tx: Transaction, command: RejectReview) -> Customer:
    """Refuse the customer: a new one for good, its first admin will never sign in; an established one is disabled."""
    customer = await _held(tx, actions.REJECT_REVIEW, command.customer_id, command.seen)
    reviewer, held_from = await _decide(tx, customer, "rejected", reason=command.reason)
    customer.status = "disabled" if held_from else "rejected"
    customer.rejected_for = command.reason
    customer.updated_at = tx.now
    await tx.session.flush()
    tell_customer(tx, customer, CustomerReviewRejected(reviewed_by=reviewer, reason=command.reason))
    if not held_from:
        await _shut_out(tx, customer)
    return customer


async def _shut_out(tx: Transaction, customer: Customer) -> None:
    for user in await _users_of(tx, customer):
        await tx.session.execute(delete(Link).where(Link.partner_id == tx.partner_id, Link.user_id == user.id))
        user.status = "disabled"
        user.email = None
        user.gen += 1
        user.updated_at = tx.now
        await tx.session.flush()
        tell_user(tx, user, UserUpdated(fields=["email", "status"]))


async def _held(tx: Transaction, action: Action, customer_id: UUID, seen: Seen) -> Customer:
    customer = await hold(tx, customer_id, seen)
    await capabilities.require(tx, action, customer)
    return customer


async def _decide(tx: Transaction, customer: Customer, status: str, *, reason: str | None) -> tuple[UUID, str | None]:
    """Close the review; answers who decided, and the status to which an established customer goes back."""
    reviewer = tx.caller
    held_from = await tx.session.scalar(
        update(Review)
        .where(Review.partner_id == tx.partner_id, Review.customer_id == customer.id, Review.status == "open")
        .values(status=status, decided_at=tx.now, decided_by=reviewer, reason=reason)
        .returning(Review.held_from)
    )
    return reviewer, held_from


async def _users_of(tx: Transaction, customer: Customer) -> list[User]:
    users = select(User).where(User.partner_id == tx.partner_id, User.customer_id == customer.id).order_by(User.id).with_for_update()
    return list(await tx.session.scalars(users))


async def _renew_welcome(tx: Transaction, customer: Customer, link_id: UUID) -> None:
    """A link told at creation may have run out while the customer was held."""
    users = await _users_of(tx, customer)
    expires_at = tx.real_now + LIFETIMES["welcome"]
    holder = await tx.session.execute(
        update(Link)
        .where(Link.partner_id == tx.partner_id, Link.id == link_id, Link.used_at.is_(None))
        .values(expires_at=expires_at)
        .returning(Link.user_id)
    )
    user_id = holder.scalar_one_or_none()
    for user in users:
        if user.id == user_id:
            user.updated_at = tx.now
            flag_modified(user, "updated_at")
            await tx.session.flush()
            tell_user(tx, user, CredentialLinkRequested(link_id=link_id, user_id=user.id, purpose="welcome", expires_at=expires_at))


class ReviewView(View, frozen=True, kw_only=True):
    """A customer in review; ``version`` is the customer's, to be sent back as If-Match."""

    id: UUID
    customer_id: UUID
    partner_id: UUID
    version: int
    company: Stored[Company]
    contact: Stored[Contact]
    findings: Stored[list[dict[str, JsonValue]]]
    opened_at: datetime


def _open(relation: FromClause, _given: object) -> Select[Any]:
    customers = Customer.__table__
    whose = (customers.c.partner_id == relation.c.partner_id) & (customers.c.id == relation.c.customer_id)
    theirs = (one for one in ReviewView.columns(customers) if one.name not in relation.c)
    return select(*ReviewView.columns(relation), *theirs).select_from(relation.join(customers, whose)).where(relation.c.status == "open")


_SORTS: Final = Sorts({"opened_at": ("opened_at", datetime)}, default="opened_at", last=("id", UUID))
_OPEN: Final = Paged(Review, ReviewView, _SORTS, build=_open)
_PARTNER: Final = Reading(Customer, lambda r, _shape: select(r.c.partner_id).where(r.c.id == bindparam("id")))


async def page(read: Read, wanted: Wanted) -> Listing[ReviewView]:
    """What is open over all partners, the oldest first (operators only: the statement reads the tables)."""
    return await _OPEN.page(read, wanted)


async def partner_of(read: Read, customer_id: UUID) -> UUID:
    """Whose customer it is, so that the operator can change it as that partner.

    Raises:
        CustomerNotFound: there is none.
    """
    row = await read.row(_PARTNER, id=customer_id)
    if row is None:
        raise CustomerNotFound
    partner_id: UUID = row["partner_id"]
    return partner_id
