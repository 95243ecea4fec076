"""Disabling: a customer is put to rest, and served again at any time (C-2, CUS-70).

While it is disabled its users are signed out and stay so, and nothing new is sold to it. What it has
bought is left as it is: it runs, renews and is billed, because ending a licence is a decision of
its own.
"""

from dataclasses import dataclass
from uuid import UUID

from chassis.database import Transaction
from chassis.http.etags import Seen
from contracts.customers.offboarding import CustomerDisabled, CustomerEnabled
from customers.rules import actions, capabilities
from customers.rules.holding import hold
from customers.rules.signing_out import sign_out_users
from customers.rules.telling import tell_customer
from customers.tables.customers import Customer


@dataclass(frozen=True, slots=True, kw_only=True)
class DisableCustomer:
    """``seen`` is the version of the customer that the caller has seen."""

    customer_id: UUID
    seen: Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class EnableCustomer:
    customer_id: UUID
    seen: Seen


async def disable(tx: Transaction, command: DisableCustomer) -> Customer:
    """Put the customer to rest. Its users' tokens end with it.

    Raises:
        CustomerNotFound: there is none.
        CustomerNotServed: it is not active.
    """
    customer = await hold(tx, command.customer_id, command.seen)
    await capabilities.require(tx, actions.DISABLE, customer)
    customer.status = "disabled"
    customer.updated_at = tx.now
    await tx.session.flush()
    tell_customer(tx, customer, CustomerDisabled(disabled_by=tx.principal.user_id if tx.principal else None), urgent=True)
    await sign_out_users(tx, customer)
    return customer


async def enable(tx: Transaction, command: EnableCustomer) -> Customer:
    """Serve the customer again; its users sign in as before.

    Raises:
        CustomerNotFound: there is none.
        NotDisabled: it is not disabled.
    """
    customer = await hold(tx, command.customer_id, command.seen)
    await capabilities.require(tx, actions.ENABLE, customer)
    customer.status = "active"
    customer.updated_at = tx.now
    await tx.session.flush()
    enabled_by = tx.principal.user_id if tx.principal else tx.partner_id
    tell_customer(tx, customer, CustomerEnabled(enabled_by=enabled_by), urgent=True)
    return customer
