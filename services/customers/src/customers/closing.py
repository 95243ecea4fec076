"""Closing: a customer closes itself to its partner and to those above it, and opens itself again (MKT-05).

While it is closed nobody of them gets into its console or does something inside, and nobody acts as its partner upon it; its partner sees
what it sees of a customer that manages itself (CUS-51). What it has bought goes on, and the operator may still disable it.
Nobody but the customer's own users closes and opens it. Its partner is mailed. A customer that
has itself managed by its partner alone cannot sign in to open itself, so that opens it.
"""

from dataclasses import dataclass
from uuid import UUID

from chassis.database import Transaction
from chassis.http.etags import Seen
from contracts.customers.customers import CustomerUpdated
from customers.rules import actions, capabilities, console_sessions
from customers.rules.holding import hold
from customers.rules.telling import tell_customer
from customers.tables.customers import Customer


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseCustomer:
    """``closed`` to those above, or open to them; ``seen`` is the version of the customer that the caller has seen."""

    customer_id: UUID
    seen: Seen
    closed: bool


async def close(tx: Transaction, command: CloseCustomer) -> Customer:
    """Close the customer, which ends the sessions at its console, or open it. What is so already is told to nobody.

    Raises:
        CustomerNotFound: there is none.
        StatusForbids: it is going, or gone.
    """
    customer = await hold(tx, command.customer_id, command.seen)
    await capabilities.require(tx, actions.SHUT_OUT, customer)
    if (customer.shut_out_at is not None) == command.closed:
        return customer
    customer.shut_out_at = tx.now if command.closed else None
    customer.updated_at = tx.now
    await tx.session.flush()
    tell_customer(tx, customer, CustomerUpdated(fields=["shut_out"]), urgent=True)
    if command.closed:
        await console_sessions.end_all(tx, customer, "customer")
    return customer
