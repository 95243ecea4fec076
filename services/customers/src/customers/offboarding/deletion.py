"""Deletion: a customer is to be deleted, licensing clears or blocks it, and it is deleted or goes on as before (CUS-62, C-2).

While it is being deleted nothing begins for it, in licensing neither, whose answer therefore cannot
be overtaken by a sale. A deleted customer can be restored until the policy's retention is over; then
it is purged (``purging``). Whoever changes a deletion holds the customer first.
"""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from chassis import due
from chassis.consumers import Event
from chassis.database import Transaction
from chassis.http import confirmations
from chassis.http.confirmations import Effect
from chassis.http.etags import Seen
from chassis.jobs import JobKind, ending, starting
from chassis.jobs.tables import Job
from contracts.customers.offboarding import CustomerDeleted, CustomerEnabled
from contracts.licensing.clearance import CustomerDeletionBlocked, CustomerDeletionCleared
from customers.errors import DuplicateCompany, EmailTaken
from customers.errors.offboarding import NotRecoverable, ProductsInTheWay
from customers.rules import actions, capabilities, consequences, going, policies
from customers.rules.constraints import broken
from customers.rules.holding import hold
from customers.rules.offboarding_policy import OffboardingPolicy
from customers.rules.telling import tell_customer
from customers.tables.customers import Customer
from customers.tables.offboarding import Deletion

PURGE: Final = "customer.purge"
DELETE: Final = JobKind(name="customers.delete", permission=actions.DELETE.permission, customers=True)
"""It is about one customer; the answers of licensing carry it on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteCustomer:
    """``seen`` is the version of the customer that the caller has seen, ``confirmation`` that of what was shown to it."""

    customer_id: UUID
    seen: Seen
    confirmation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreCustomer:
    customer_id: UUID
    seen: Seen


async def preview(tx: Transaction, customer_id: UUID) -> Effect:
    """What deleting the customer would do.

    Raises:
        Refusal: its deletion would be refused, for the same reason.
    """
    customer = await hold(tx, customer_id, Seen(None))
    await going.may_be_deleted(tx, customer)
    return await consequences.of_deletion(tx, customer)


async def delete(tx: Transaction, command: DeleteCustomer) -> Job:
    """Ask for a customer's deletion; the job ends when it is deleted, or was refused.

    Raises:
        CustomerNotFound: there is none.
        NotDeletable: its status does not allow it.
        NotOffered: nor does its kind of account (CUS-64).
        ProductsInTheWay: it is known to have products, and the policy wants them gone.
        ConfirmationNeeded: nobody has confirmed what it does.
    """
    customer = await hold(tx, command.customer_id, command.seen)
    await going.may_be_deleted(tx, customer)
    confirmations.require(command.confirmation, await consequences.of_deletion(tx, customer))
    job = await starting.open_job(tx, DELETE, params={"customer_id": str(customer.id)})
    job.status, job.started_at, job.total = "running", tx.real_now, 1
    await going.ask_deletion(tx, customer, job_id=job.id)
    return job


async def cleared(tx: Transaction, event: Event[CustomerDeletionCleared]) -> None:
    """Licensing has nothing against it: the customer is deleted, unless whoever asked has cancelled the job."""
    asked = await _asked(tx, event)
    if asked is None:
        return
    customer, deletion = asked
    job = await _job(tx, deletion)
    if job is not None and job.cancelled_by is not None:
        await _reopen(tx, customer, deletion, "withdrawn")
        await ending.cancel(tx, job)
        return
    policy = await policies.at(tx, OffboardingPolicy, deletion.policy_version)
    customer.status, customer.updated_at = "deleted", tx.now
    deletion.status, deletion.deleted_at, deletion.recoverable_until = "deleted", tx.now, tx.now + policy.retention
    await tx.session.flush()
    told = CustomerDeleted(recoverable_until=deletion.recoverable_until, policy_version=str(deletion.policy_version))
    tell_customer(tx, customer, told, urgent=True)
    await due.plan(tx, PURGE, customer.id, slot="purge", at=deletion.recoverable_until)
    if job is not None:
        job.succeeded = 1
        await ending.finish(tx, job, "done")


async def blocked(tx: Transaction, event: Event[CustomerDeletionBlocked]) -> None:
    """Something is in the way: the customer goes on as before, and the job says why."""
    asked = await _asked(tx, event)
    if asked is None:
        return
    customer, deletion = asked
    deletion.in_the_way = [one.model_dump(mode="json") for one in event.record.in_the_way]
    await _reopen(tx, customer, deletion, "blocked")
    await going.refuse_stage(tx, deletion, ProductsInTheWay.code)
    job = await _job(tx, deletion)
    if job is not None:
        job.failed = 1
        names = ", ".join(sorted({one.product for one in event.record.in_the_way}))
        await ending.finish(tx, job, "failed", code=ProductsInTheWay.code, reason=f"The customer has {names}.")


async def _asked(tx: Transaction, event: Event[Any]) -> tuple[Customer, Deletion] | None:
    """The customer and its deletion, if this answers the present asking."""
    found = select(Customer).where(Customer.partner_id == tx.partner_id, Customer.id == event.envelope.subject).with_for_update()
    customer = (await tx.session.scalars(found, execution_options={"populate_existing": True})).one_or_none()
    if customer is None or customer.status != "deleting":
        return None
    deletion = await going.hold_deletion(tx, customer.id)
    if deletion is None or event.envelope.aggregate_version < deletion.asked_version:
        return None
    return customer, deletion


async def _job(tx: Transaction, deletion: Deletion) -> Job | None:
    if deletion.job_id is None:
        return None
    found = select(Job).where(Job.partner_id == tx.partner_id, Job.id == deletion.job_id, Job.ended_at.is_(None)).with_for_update()
    return (await tx.session.scalars(found)).one_or_none()


async def _reopen(tx: Transaction, customer: Customer, deletion: Deletion, status: str) -> None:
    customer.status, customer.updated_at = deletion.was, tx.now
    deletion.status = status
    await tx.session.flush()
    tell_customer(tx, customer, urgent=True)


async def restore(tx: Transaction, command: RestoreCustomer) -> Customer:
    """Take a deleted customer back as it was.

    Raises:
        CustomerNotFound: there is none, or it was purged.
        NotRecoverable: it is not deleted, or its time is over (CUS-63).
        DuplicateCompany: the company was created anew meanwhile.
        EmailTaken: so was its contact's address.
    """
    customer = await hold(tx, command.customer_id, command.seen)
    await capabilities.require(tx, actions.RESTORE, customer)
    deletion = await going.hold_deletion(tx, customer.id)
    until = deletion.recoverable_until if deletion else None
    if deletion is None or until is None or until <= tx.now:
        raise NotRecoverable(status=customer.status, recoverable_until=until.isoformat() if until else None)
    customer.status, customer.updated_at, deletion.status = deletion.was, tx.now, "restored"
    await _settle(tx)
    await due.withdraw(tx, PURGE, customer.id)
    restored = [CustomerEnabled(enabled_by=tx.caller)] if customer.status == "active" else []
    tell_customer(tx, customer, *restored, urgent=True)
    return customer


async def _settle(tx: Transaction) -> None:
    refusals = {"customers_one_per_company": DuplicateCompany, "logins_pkey": EmailTaken}
    try:
        await tx.session.flush()
    except IntegrityError as refused:
        refusal = refusals.get(broken(refused) or "")
        if refusal is None:
            raise
        raise refusal from refused
