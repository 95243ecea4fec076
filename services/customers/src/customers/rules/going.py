"""Going: what is done to a customer that is in hand, so that it rests, leaves its partner, or is to be deleted (C-2).

Whoever calls these holds the customer; whether it may be done now is asked here, so that a request, a
planned stage and a bulk job go by one rule.
"""

from typing import Any, Final
from uuid import UUID

from pydantic import JsonValue
from sqlalchemy import select, update

from chassis.database import Transaction
from chassis.policies import InForce
from contracts.customers.offboarding import CustomerDeletionRequested, CustomerDisabled, CustomerUnlinked
from contracts.root import ROOT_PARTNER_ID
from customers.errors.offboarding import ProductsInTheWay, StaysHere
from customers.rules import actions, capabilities, console_sessions, policies, products
from customers.rules.offboarding_policy import OffboardingPolicy
from customers.rules.rehoming import rehome
from customers.rules.signing_out import sign_out_users
from customers.rules.telling import tell_customer
from customers.tables.customers import Customer
from customers.tables.offboarding import Deletion, Stage

STAGE: Final = "customer.stage"
"""Due work: a stage whose time has come."""
_FRESH: Final[dict[str, Any]] = {"deleted_at": None, "recoverable_until": None, "in_the_way": [], "user_ids": []}


async def put_to_rest(tx: Transaction, customer: Customer) -> None:
    """Disable it: its users' tokens end, nothing new is sold to it, and what it has bought goes on.

    Raises:
        CustomerNotServed: it is not active.
    """
    await capabilities.require(tx, actions.DISABLE, customer)
    customer.status, customer.updated_at = "disabled", tx.now
    await tx.session.flush()
    tell_customer(tx, customer, CustomerDisabled(disabled_by=_by(tx)), urgent=True)
    await _let_nobody_in(tx, customer)


async def may_leave(tx: Transaction, customer: Customer) -> None:
    """Whether it can be unlinked from its partner.

    Raises:
        StatusForbids: it is not active nor disabled.
        StaysHere: it is a sandbox's, or the root party's already.
    """
    await capabilities.require(tx, actions.UNLINK, customer)
    if tx.sandbox or tx.partner_id == ROOT_PARTNER_ID:
        raise StaysHere(sandbox=tx.sandbox)


async def unlink(tx: Transaction, customer: Customer) -> None:
    """Give it to the root party. For workers: a request's role is held to one partner.

    Raises:
        StatusForbids: it is not active nor disabled.
        StaysHere: it is a sandbox's, or the root party's already.
    """
    await may_leave(tx, customer)
    offboarding = await policies.in_force(tx, OffboardingPolicy)
    until = offboarding.policy.partner_owned_licences
    unlinked = CustomerUnlinked(unlinked_by=_by(tx), partner_owned_licences=until, policy_version=str(offboarding.version))
    await rehome(tx, customer, ROOT_PARTNER_ID, leaving=unlinked)


async def may_be_deleted(tx: Transaction, customer: Customer) -> InForce[OffboardingPolicy]:
    """Whether it can be deleted, as far as is known here, and by which policy.

    Raises:
        NotDeletable: its status does not allow it.
        NotOffered: nor does its kind of account (CUS-64).
        ProductsInTheWay: it is known to have products, and the policy wants them gone.
    """
    await capabilities.require(tx, actions.DELETE, customer)
    offboarding = await policies.in_force(tx, OffboardingPolicy)
    if "no_active_subscriptions" in offboarding.policy.preconditions:
        await _refuse_products(tx, customer, str(offboarding.version))
    return offboarding


async def ask_deletion(tx: Transaction, customer: Customer, *, job_id: UUID | None = None, stage_id: UUID | None = None) -> None:
    """Ask licensing whether it can be deleted; meanwhile nothing begins for it, and nobody of it is signed in.

    ``job_id`` or ``stage_id`` is what it is asked for by, and what is told of a refusal.

    Raises:
        Refusal: as ``may_be_deleted`` says.
    """
    offboarding = await may_be_deleted(tx, customer)
    preconditions = offboarding.policy.preconditions
    was, customer.status, customer.updated_at = customer.status, "deleting", tx.now
    await tx.session.flush()
    await _note(tx, customer, was=was, asked_by=_by(tx), policy_version=offboarding.version, job_id=job_id, stage_id=stage_id)
    requested = CustomerDeletionRequested(requested_by=_by(tx), preconditions=preconditions, policy_version=str(offboarding.version))
    tell_customer(tx, customer, requested, urgent=True)
    await _let_nobody_in(tx, customer)


async def _let_nobody_in(tx: Transaction, customer: Customer) -> None:
    """Neither its users nor, into its consoles, its partner's."""
    await sign_out_users(tx, customer)
    await console_sessions.end_all(tx, customer, "rights")


async def refuse_stage(tx: Transaction, deletion: Deletion, code: str) -> None:
    """The stage by which a deletion was asked for, if it was by one, has come to nothing. Hold the customer first."""
    its_own = (Stage.partner_id == tx.partner_id, Stage.id == deletion.stage_id)
    refused = {"status": "refused", "refused_with": code, "version": Stage.version + 1, "updated_at": tx.now}
    await tx.session.execute(update(Stage).where(*its_own).values(refused))


async def hold_deletion(tx: Transaction, customer_id: UUID) -> Deletion | None:
    """The customer's last deletion, for a change; hold the customer first."""
    found = select(Deletion).where(Deletion.partner_id == tx.partner_id, Deletion.id == customer_id).with_for_update()
    return (await tx.session.scalars(found, execution_options={"populate_existing": True})).one_or_none()


async def _refuse_products(tx: Transaction, customer: Customer, policy_version: str) -> None:
    left = await products.standing(tx, customer.id)
    if left:
        named: list[JsonValue] = [{"subscription_id": str(one.id), "product": one.product, "status": one.status} for one in left]
        raise ProductsInTheWay(policy_version=policy_version, products=named)


async def _note(tx: Transaction, customer: Customer, **asked: Any) -> None:
    """The customer's last deletion is this one."""
    deletion = await hold_deletion(tx, customer.id) or Deletion(partner_id=tx.partner_id, id=customer.id)
    said = asked | _FRESH | {"status": "asked", "asked_at": tx.now, "asked_version": customer.version}
    for name, value in said.items():
        setattr(deletion, name, value)
    tx.session.add(deletion)
    await tx.session.flush()


def _by(tx: Transaction) -> UUID | None:
    return tx.principal.user_id if tx.principal else None
