"""Rehoming: a customer goes to the partner that manages it from now on, with its users and all that is its own.

A change of hands is decided in a request and carried out by a worker, whom no policy holds to one
partner. Foreign keys take along what stands below the customer. Its tags are the partner's that
gave them, so it loses them, as it does what that partner planned for it (MKT-19), and its roles name it no more; its owner never changes.
Facts of the leaving are the old partner's, the states are the new one's, and the other services
move what they keep when they see them (``chassis.rehoming``).
"""

from typing import Final
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.attributes import flag_modified

from chassis.database import Transaction
from chassis.rehoming import rehome_due
from contracts.customers.customers import CustomerFact
from contracts.root import ROOT_PARTNER_ID
from customers.errors import DuplicateCompany
from customers.rules import bundle_pieces, consenting, console_sessions, rights_history, roles
from customers.rules.constraints import broken
from customers.rules.names import company_key
from customers.rules.telling import tell_customer, tell_fact, tell_user
from customers.tables.customers import Customer
from customers.tables.email_changes import AddressChange
from customers.tables.offboarding import Stage
from customers.tables.users import User

_COMPANY: Final = "customers_one_per_company"


async def rehome(
    tx: Transaction, customer: Customer, partner_id: UUID, *, leaving: CustomerFact | None = None, arriving: CustomerFact | None = None
) -> None:
    """Give a customer that this transaction holds to another partner. ``leaving`` is told by the old one, ``arriving`` by the new.

    Raises:
        DuplicateCompany: the new partner has this company already.
        ValueError: it is that partner's already, or a sandbox's.
    """
    if partner_id == tx.partner_id:
        raise ValueError(f"customer {customer.id} is managed by {partner_id} already")
    await roles.forget_customer(tx, customer.id)
    await console_sessions.end_all(tx, customer, "rights")
    await consenting.leave(tx, customer)
    await _stop_stages(tx, customer)
    await bundle_pieces.forget(tx, customer.id)
    async with tx.beside(partner_id) as new:
        await rehome_due(new, await _planned_for(tx, customer))
        customer.partner_id = partner_id
        customer.company_key = company_key_with(partner_id, customer.company["name"], customer.id)
        customer.tags = []
        customer.stages = []
        customer.management_wanted = None
        customer.moving_to = None
        customer.updated_at = tx.now
        await _settle(tx)
        rights_history.end_customer(tx, customer)
        rights_history.remember_customer(new, customer)
        if leaving is not None:
            tell_fact(tx, customer, leaving)
        tell_customer(new, customer, *([arriving] if arriving else []), urgent=True)
        for user in await _users(new, customer):
            user.updated_at = tx.now
            flag_modified(user, "updated_at")
            await tx.session.flush()
            tell_user(new, user)


async def _stop_stages(tx: Transaction, customer: Customer) -> None:
    its_own = (Stage.partner_id == tx.partner_id, Stage.customer_id == customer.id, Stage.status.in_(("planned", "held")))
    await tx.session.execute(update(Stage).where(*its_own).values(status="stopped", version=Stage.version + 1))


def company_key_with(partner_id: UUID, name: str, customer_id: UUID) -> str:
    """The root party runs unlinked customers of everybody's, of which two may be the same company."""
    key = company_key(name)
    return f"{key} {customer_id}" if partner_id == ROOT_PARTNER_ID else key


async def _settle(tx: Transaction) -> None:
    try:
        await tx.session.flush()
    except IntegrityError as refused:
        if broken(refused) == _COMPANY:
            raise DuplicateCompany from refused
        raise


async def _planned_for(tx: Transaction, customer: Customer) -> list[UUID]:
    """What work may be planned for: itself, its users, and their changes of address."""
    users = select(User.id).where(User.partner_id == tx.partner_id, User.customer_id == customer.id)
    changes = select(AddressChange.id).where(AddressChange.partner_id == tx.partner_id, AddressChange.user_id.in_(users))
    return [customer.id, *await tx.session.scalars(users), *await tx.session.scalars(changes)]


async def _users(tx: Transaction, customer: Customer) -> list[User]:
    """Its users, whom its own change has taken along."""
    found = select(User).where(User.partner_id == tx.partner_id, User.customer_id == customer.id).order_by(User.id)
    return list(await tx.session.scalars(found.with_for_update(), execution_options={"populate_existing": True}))
