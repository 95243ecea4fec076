"""Launches: a partner asks a customer in advance to be let into its console (CUS-55, BEY-14)."""

from dataclasses import dataclass
from uuid import UUID

from chassis.database import Transaction
from chassis.http.etags import Seen
from customers.rules import asking, capabilities, consenting
from customers.rules.actions import REQUEST_LAUNCH
from customers.rules.holding import hold
from customers.tables.consents import Consent


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLaunch:
    """``seen`` is the version of the customer that the caller has seen."""

    customer_id: UUID
    seen: Seen


async def request(tx: Transaction, command: RequestLaunch) -> Consent:
    """Ask the customer's contact by mail for leave to sign in to its console.

    Raises:
        CustomerNotFound: there is none.
        StatusForbids: it is not active.
        NotOffered: its management type lets no partner in, whatever it would allow (CUS-51).
    """
    customer = await hold(tx, command.customer_id, command.seen)
    await capabilities.require(tx, REQUEST_LAUNCH, customer)
    question = asking.asked_by_caller(tx, "console_launch")
    consent = await consenting.ask(tx, customer, question, asking.contact_of(customer))
    await consenting.plan_expiry(tx, consent)
    return consent
