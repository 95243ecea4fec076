"""Creating customers.

A customer comes into being whole or not at all: its row, its first admin's user, the licence
terms accepted for it, what was asked for, and what is told of them are one transaction
(CUS-23). An address or a company that somebody else takes in the same moment is refused by
the database's own constraints, whatever was read before.
"""

from uuid import UUID

from sqlalchemy import select

from chassis.database import Transaction
from contracts.customers.customers import CustomerCreated, CustomerFact, EulaAccepted, ProductNamed
from customers.errors import CustomerNotFound
from customers.rules import examination, identity, sight, surroundings
from customers.rules.admission import Admission, admit
from customers.rules.application import CreateCustomer, Sketch
from customers.rules.constraints import settle
from customers.rules.examination import Accepted
from customers.rules.names import company_key, search_key
from customers.rules.reviewing import hold_for, reasons
from customers.rules.telling import tell_customer
from customers.tables.customers import Customer, EulaAcceptance


async def create(tx: Transaction, command: CreateCustomer) -> Customer:
    """Create a customer with its first admin (CUS-01 to CUS-26); held in review where a person should look (CUS-13, CUS-14).

    Raises:
        Refusal: with everything that is wrong at once.
    """
    admin = identity.first_admin(command)
    known = await surroundings.around(tx, Sketch.of(command), admin)
    accepted = examination.examine(command, admin, known)
    customer = _customer(tx, command, accepted, policy_version=str(known.identity.version))
    tx.session.add(customer)
    await settle(tx, "/contact/email")
    tell_customer(tx, customer, *await _papers(tx, customer, command, accepted))
    await admit(tx, _first_admin(customer, accepted))
    return customer


async def one(tx: Transaction, customer_id: UUID) -> Customer:
    """A customer that was created before.

    Raises:
        CustomerNotFound: it is not there, not the partner's any more, or hidden from whoever asks.
    """
    await sight.require(tx, customer_id)
    customer = await tx.session.scalar(select(Customer).where(Customer.partner_id == tx.partner_id, Customer.id == customer_id))
    if customer is None:
        raise CustomerNotFound
    return customer


def _customer(tx: Transaction, command: CreateCustomer, accepted: Accepted, *, policy_version: str) -> Customer:
    return Customer(
        partner_id=tx.partner_id,
        id=tx.new_id(),
        owner_partner_id=tx.partner_id,
        status="pending_review" if accepted.findings else "active",
        management_type=command.management_type,
        communications_mode=command.communications_mode,
        name=accepted.company.name,
        name_key=search_key(accepted.company.name),
        company_key=company_key(accepted.company.name),
        country=accepted.company.country,
        domain=accepted.domain,
        company=accepted.company.model_dump(mode="json"),
        contact=accepted.contact.model_dump(mode="json"),
        first_admin=accepted.first_admin(tx.new_id()).model_dump(mode="json"),
        products=[product.model_dump(mode="json") for product in command.products],
        review_reasons=reasons(accepted.findings),
        tags=sorted(set(command.tags)),
        data_region=command.data_region,
        account_type=command.account_type,
        welcome_link_id=tx.new_id() if command.send_welcome else None,
        identity_policy_version=policy_version,
        created_at=tx.now,
        updated_at=tx.now,
    )


async def _papers(tx: Transaction, customer: Customer, command: CreateCustomer, accepted: Accepted) -> list[CustomerFact]:
    """What was accepted and what was found, as rows and as facts."""
    whose = {"partner_id": customer.partner_id, "customer_id": customer.id}
    eula = {
        "eula_version": command.eula_version,
        "accepted_by": command.accepted_by or tx.caller,
        "accepted_at": command.accepted_at or tx.now,
    }
    tx.session.add(EulaAcceptance(**whose, id=tx.new_id(), **eula))
    facts: list[CustomerFact] = [
        CustomerCreated(
            management_type=command.management_type,
            country=customer.country,
            status="pending_review" if accepted.findings else "active",
            products=[ProductNamed.model_validate(product.model_dump(exclude={"answers"})) for product in command.products],
        ),
        EulaAccepted.model_validate(eula),
    ]
    held = await hold_for(tx, customer, accepted.findings, new=True)
    await tx.session.flush()
    return [*facts, held] if held else facts


def _first_admin(customer: Customer, accepted: Accepted) -> Admission:
    return Admission(
        kind="customer",
        name=accepted.admin.name,
        email=str(accepted.admin.email),
        language=accepted.contact.language,
        user_id=UUID(customer.first_admin["user_id"]),
        customer_id=customer.id,
        data_region=customer.data_region,
        link_id=customer.welcome_link_id,
        purpose="welcome",
        pointer=accepted.admin.pointer,
    )
