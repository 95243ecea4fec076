"""Management: who manages a customer's product is changed by asking the customer (CUS-48, CUS-49).

Until it confirms, everything stays as it is; ``management_wanted`` only shows that it was asked. A
later request takes the place of an earlier one.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from chassis.database import Transaction
from chassis.http.etags import Seen
from contracts.customers.customers import ManagementType
from contracts.customers.management import CustomerManagementRequested
from customers.errors.consents import ManagedSoAlready
from customers.rules import asking, capabilities, consenting
from customers.rules.actions import CHANGE_MANAGEMENT
from customers.rules.holding import hold
from customers.rules.telling import tell_customer
from customers.tables.consents import Consent


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestManagement:
    """``seen`` is the version of the customer that the caller has seen."""

    customer_id: UUID
    seen: Seen
    management_type: ManagementType


async def request(tx: Transaction, command: RequestManagement) -> Consent:
    """Ask the customer's contact by mail to be managed otherwise.

    Raises:
        CustomerNotFound: there is none.
        StatusForbids: it is not there to answer.
        ManagedSoAlready: it is.
    """
    customer = await hold(tx, command.customer_id, command.seen)
    await capabilities.require(tx, CHANGE_MANAGEMENT, customer)
    if customer.management_type == command.management_type:
        raise ManagedSoAlready(errors=[ManagedSoAlready.at("/management_type")])
    question = asking.asked_by_caller(tx, "management_change", management_type=command.management_type, before=customer.management_type)
    consent = await consenting.ask(tx, customer, question, asking.contact_of(customer))
    await consenting.plan_expiry(tx, consent)
    customer.management_wanted = command.management_type
    customer.updated_at = tx.now
    await tx.session.flush()
    fact = CustomerManagementRequested(
        consent_id=consent.id, management_type=command.management_type, expires_at=cast("datetime", consent.expires_at)
    )
    tell_customer(tx, customer, fact)
    return consent
