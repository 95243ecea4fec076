"""Outcomes: what follows once a customer has answered, or the time for that is over (CUS-46, CUS-48, CUS-52).

The customer is held, and its consent settled, in the same transaction. An import concerns two
partners, so it is carried out by a worker.
"""

from typing import Any, cast

from chassis import due
from chassis.database import Transaction
from contracts.customers.customers import CustomerFact, ManagementType
from contracts.customers.management import CustomerManagementChanged, CustomerManagementDeclined, CustomerManagementExpired
from customers.errors.consents import ConsentRequired
from customers.rules import consenting, console_sessions, importing
from customers.rules.signing_in import customer_may, partner_may
from customers.rules.signing_out import sign_out_users
from customers.rules.telling import tell_customer
from customers.tables.consents import Consent
from customers.tables.customers import Customer


async def follow(tx: Transaction, customer: Customer, consent: Consent) -> None:
    """Let happen what the consent's state says."""
    if consent.kind == "management_change":
        await _manage(tx, customer, consent)
    elif consent.kind == "import":
        await due.plan(tx, importing.SETTLE, customer.id, slot=str(consent.id), at=tx.now)
    elif consent.kind == "console_launch":
        await _let_in(tx, customer)


async def _manage(tx: Transaction, customer: Customer, consent: Consent) -> None:
    wanted, before = consent.scope["management_type"], cast("ManagementType", customer.management_type)
    customer.management_wanted = None
    customer.updated_at = tx.now
    if consent.state == "granted":
        customer.management_type = wanted
        customer.shut_out_at = customer.shut_out_at if customer_may(wanted) else None
    await tx.session.flush()
    tell_customer(tx, customer, *_managed(consent, before), urgent=consent.state == "granted")
    if consent.state != "granted":
        return
    if not customer_may(wanted):
        await sign_out_users(tx, customer)
    if not partner_may(wanted):
        await console_sessions.end_all(tx, customer, "rights")


async def _let_in(tx: Transaction, customer: Customer) -> None:
    """Whoever is at work in the customer's console has left, unless leave for it holds."""
    try:
        await consenting.require(tx, customer, "console_launch")
    except ConsentRequired:
        await console_sessions.end_all(tx, customer, "rights")


def _managed(consent: Consent, before: ManagementType) -> list[CustomerFact]:
    said: dict[str, Any] = {"consent_id": consent.id, "management_type": consent.scope["management_type"]}
    match consent.state:
        case "granted":
            return [CustomerManagementChanged(before=before, **said)]
        case "declined":
            return [CustomerManagementDeclined(**said)]
        case "expired":
            return [CustomerManagementExpired(**said)]
        case _:
            return []
