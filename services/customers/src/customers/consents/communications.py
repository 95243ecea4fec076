"""Communications: whether a customer is mailed besides its partner, changed at any time (CUS-57 to CUS-59, C-8)."""

from dataclasses import dataclass
from uuid import UUID

from chassis.database import Transaction
from chassis.http.etags import Seen
from contracts.customers.customers import CommunicationsMode, CustomerUpdated
from customers.rules import asking, capabilities, consenting
from customers.rules.actions import SET_COMMUNICATIONS
from customers.rules.holding import hold
from customers.rules.telling import tell_customer
from customers.tables.customers import Customer


@dataclass(frozen=True, slots=True, kw_only=True)
class ChooseCommunications:
    """``seen`` is the version of the customer that the caller has seen."""

    customer_id: UUID
    seen: Seen
    communications_mode: CommunicationsMode


async def choose(tx: Transaction, command: ChooseCommunications) -> Customer:
    """Say who is mailed from now on, and put it into the ledger. What is so already is told to nobody.

    Raises:
        CustomerNotFound: there is none.
        StatusForbids: it is going, or gone.
    """
    customer = await hold(tx, command.customer_id, command.seen)
    await capabilities.require(tx, SET_COMMUNICATIONS, customer)
    if customer.communications_mode == command.communications_mode:
        return customer
    customer.communications_mode = command.communications_mode
    customer.updated_at = tx.now
    await tx.session.flush()
    tell_customer(tx, customer, CustomerUpdated(fields=["communications_mode"]))
    question = asking.asked_by_caller(tx, "communications", communications_mode=command.communications_mode)
    await consenting.note(tx, customer, question, "granted")
    return customer
