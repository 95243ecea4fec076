"""Changes of the address by which a user signs in: asked for with the password, confirmed by the new address, taken back by the old.

Nobody learns from asking whether an address is taken: that is said to whoever holds it, when it
confirms. For a week the old address is kept for its user, and its link takes everything back that came
after, whoever made it. Each step signs the user out everywhere.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, text, update

from chassis import due
from chassis.database import ApiDatabase, Transaction
from chassis.due import DueItem
from chassis.links import read_link_token
from chassis.principal import Principal
from contracts.customers.users import EmailChange, UserUpdated
from customers.errors import LinkInvalid
from customers.rules import linking, policies
from customers.rules.constraints import settle
from customers.rules.holding import hold_user
from customers.rules.identity import IdentityPolicy, objection
from customers.rules.keyring import Keyring
from customers.rules.objections import Objections
from customers.rules.signing_out import sign_out
from customers.rules.telling import tell_customer, tell_user
from customers.tables.customers import Customer
from customers.tables.email_changes import AddressChange
from customers.tables.users import User

OVER: Final = "email_change.over"
CONFIRMABLE: Final = timedelta(days=1)
UNDOABLE: Final = timedelta(days=7)
_FIND: Final = text("select * from door.find_email_change(:link)")


@dataclass(frozen=True, slots=True, kw_only=True)
class AskForAddress:
    user_id: UUID
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A link that was followed: whose, and in whose name it lets in for this one change."""

    link_id: UUID
    principal: Principal


async def ask(tx: Transaction, command: AskForAddress) -> None:
    """Have the new address asked whether it is the user's; whoever asks has shown its password.

    Raises:
        UserNotFound: it acts as another partner, where it is no user.
        NotAcceptable: a customer's first admin stays on the customer's domain (CUS-23).
    """
    user = await hold_user(tx, command.user_id)
    await _check_domain(tx, user, command.email)
    open_ones = (AddressChange.user_id == user.id, AddressChange.confirmed_at.is_(None))
    await tx.session.execute(
        update(AddressChange).where(AddressChange.partner_id == tx.partner_id, *open_ones).values(expires_at=tx.real_now)
    )
    change = AddressChange(
        partner_id=tx.partner_id,
        id=tx.new_id(),
        user_id=user.id,
        undo_id=tx.new_id(),
        old_email=str(user.email),
        new_email=command.email,
        expires_at=tx.real_now + CONFIRMABLE,
    )
    tx.session.add(change)
    user.email_change = _told(change, until=change.expires_at)
    user.updated_at = tx.now
    await tx.session.flush()
    tell_user(tx, user, UserUpdated(fields=["email_change"]))


async def follow(database: ApiDatabase, keyring: Keyring, token: str) -> Followed:
    """Whom a mailed link lets in.

    Raises:
        LinkInvalid: the token was not made by us, or there is no such change.
    """
    link_id = read_link_token(keyring.link_key, token)
    if link_id is None:
        raise LinkInvalid
    async with database.at_the_door() as door:
        found = (await door.execute(_FIND, {"link": link_id})).one_or_none()
    if found is None:
        raise LinkInvalid
    return Followed(link_id=link_id, principal=Principal(kind="partner", user_id=found.user_id, partner_id=found.partner_id, gen=found.gen))


async def confirm(tx: Transaction, followed: Followed) -> None:
    """Let the user sign in by its new address, and by the old one no more.

    Raises:
        LinkInvalid: it was used, replaced or is too old, or the address changed meanwhile.
        EmailTaken: somebody else has the address.
    """
    customer, user = await _held(tx, followed.principal.user_id)
    change = await _change(tx, AddressChange.id == followed.link_id)
    if change is None or change.confirmed_at is not None or change.expires_at <= tx.real_now or user.email != change.old_email:
        raise LinkInvalid
    change.confirmed_at, change.undo_until = tx.real_now, tx.real_now + UNDOABLE
    user.email_change = _told(change, until=change.undo_until)
    await _move(tx, customer, user, change.new_email)
    await tx.session.execute(select(func.door.keep_address(user.id, change.old_email)))
    real = UNDOABLE if tx.sandbox else timedelta()
    await due.plan(tx, OVER, change.id, slot="over", at=tx.now + UNDOABLE, wait=real)
    tell_user(tx, user, UserUpdated(fields=["email"]))


async def undo(tx: Transaction, followed: Followed) -> None:
    """Let the user sign in by its old address again, whatever came after.

    Raises:
        LinkInvalid: it was used or is too old, or the change was not confirmed.
    """
    customer, user = await _held(tx, followed.principal.user_id)
    change = await _change(tx, AddressChange.undo_id == followed.link_id)
    if change is None or change.undone_at is not None or change.undo_until is None or change.undo_until <= tx.real_now:
        raise LinkInvalid
    later = (AddressChange.user_id == user.id, AddressChange.id >= change.id, AddressChange.undone_at.is_(None))
    await tx.session.execute(
        update(AddressChange).where(AddressChange.partner_id == tx.partner_id, *later).values(undone_at=tx.real_now, expires_at=tx.real_now)
    )
    user.email_change = None
    await _move(tx, customer, user, change.old_email)
    await tx.session.execute(select(func.door.let_address_go(user.id, change.old_email)))
    tell_user(tx, user, UserUpdated(fields=["email"]))


async def be_over(tx: Transaction, item: DueItem) -> None:
    """When nothing can be taken back any more: let the old address go, and keep it nowhere."""
    change = await _change(tx, AddressChange.id == item.subject)
    if change is None:
        return
    user = await hold_user(tx, change.user_id)
    await tx.session.execute(select(func.door.let_address_go(user.id, change.old_email)))
    await tx.session.delete(change)
    if user.email_change is not None and user.email_change["id"] == str(change.id):
        user.email_change = None
        user.updated_at = tx.now
        await tx.session.flush()
        tell_user(tx, user, UserUpdated(fields=["email_change"]))


async def _move(tx: Transaction, customer: Customer | None, user: User, email: str) -> None:
    """The login moves, and what was mailed to the address before it is worth nothing."""
    user.email = email
    user.updated_at = tx.now
    await settle(tx, "/email")
    await linking.take_back(tx, user)
    await sign_out(tx, user, "address_changed")
    if customer is not None and UUID(customer.first_admin["user_id"]) == user.id:
        customer.first_admin = customer.first_admin | {"email": email, "temporary": False}
        customer.updated_at = tx.now
        await tx.session.flush()
        tell_customer(tx, customer)


async def _check_domain(tx: Transaction, user: User, email: str) -> None:
    if user.customer_id is None:
        return
    mine = select(Customer.domain).where(Customer.partner_id == tx.partner_id, Customer.id == user.customer_id)
    domain = (await tx.session.scalars(mine)).one()
    rules = await policies.in_force(tx, IdentityPolicy)
    against = objection(email, domain, rules.policy, temporary=False)
    if against is not None:
        objections = Objections()
        objections.add("/email", against.code, against.detail, rule=against.rule, remedy=f"Give an address on {domain}.", by=rules)
        objections.refuse()


async def _held(tx: Transaction, user_id: UUID) -> tuple[Customer | None, User]:
    """The user, and before it its customer, if it is one's."""
    of = select(User.customer_id).where(User.partner_id == tx.partner_id, User.id == user_id)
    customer_id = (await tx.session.scalars(of)).one_or_none()
    mine = select(Customer).where(Customer.partner_id == tx.partner_id, Customer.id == customer_id).with_for_update()
    customer = (await tx.session.scalars(mine)).one_or_none() if customer_id else None
    return customer, await hold_user(tx, user_id)


async def _change(tx: Transaction, which: ColumnElement[bool]) -> AddressChange | None:
    found = select(AddressChange).where(AddressChange.partner_id == tx.partner_id, which).with_for_update()
    return (await tx.session.scalars(found)).one_or_none()


def _told(change: AddressChange, *, until: datetime) -> dict[str, object]:
    told = EmailChange(
        id=change.id,
        undo_id=change.undo_id,
        old=change.old_email,
        new=change.new_email,
        confirmed=change.confirmed_at is not None,
        until=until,
    )
    return told.model_dump(mode="json")
