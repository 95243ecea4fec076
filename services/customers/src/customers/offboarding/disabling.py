"""Disabling: a customer is put to rest, and served again at any time (C-2, CUS-70).

While it is disabled its users are signed out and stay so, and nothing new is sold to it. What it has
bought is left as it is: it runs, renews and is billed, because ending a licence is a decision of
its own.
"""

from dataclasses import dataclass
from uuid import UUID

from chassis.database import Transaction
from chassis.http import confirmations
from chassis.http.confirmations import Effect
from chassis.http.etags import Seen
from contracts.customers.offboarding import CustomerEnabled
from customers.rules import actions, capabilities, consequences, going
from customers.rules.holding import hold
from customers.rules.telling import tell_customer
from customers.tables.customers import Customer


@dataclass(frozen=True, slots=True, kw_only=True)
class DisableCustomer:
    """``seen`` is the version of the customer that the caller has seen, ``confirmation`` that of what was shown to it."""

    customer_id: UUID
    seen: Seen
    confirmation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnableCustomer:
    customer_id: UUID
    seen: Seen


async def preview(tx: Transaction, customer_id: UUID) -> Effect:
    """What disabling the customer would do.

    Raises:
        Refusal: disabling would be refused, for the same reason.
    """
    customer = await hold(tx, customer_id, Seen(None))
    await capabilities.require(tx, actions.DISABLE, customer)
    return consequences.of_disabling(customer)


async def disable(tx: Transaction, command: DisableCustomer) -> Customer:
    """Put the customer to rest. Its users' tokens end with it.

    Raises:
        CustomerNotFound: there is none.
        CustomerNotServed: it is not active.
        ConfirmationNeeded: nobody has confirmed what it does.
    """
    customer = await hold(tx, command.customer_id, command.seen)
    await capabilities.require(tx, actions.DISABLE, customer)
    confirmations.require(command.confirmation, consequences.of_disabling(customer))
    await going.put_to_rest(tx, customer)
    return customer


async def enable(tx: Transaction, command: EnableCustomer) -> Customer:
    """Serve the customer again; its users sign in as before.

    Raises:
        CustomerNotFound: there is none.
        NotDisabled: it is not disabled.
        RejectedInReview: only an operator takes that back.
    """
    customer = await hold(tx, command.customer_id, command.seen)
    await capabilities.require(tx, actions.ENABLE, customer)
    customer.status = "active"
    customer.rejected_for = None
    customer.updated_at = tx.now
    await tx.session.flush()
    tell_customer(tx, customer, CustomerEnabled(enabled_by=tx.caller), urgent=True)
    return customer
