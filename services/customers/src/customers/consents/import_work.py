"""What a worker does for an import: it finds the account, has its customer asked, and carries out the answer (CUS-43 to CUS-47).

Only here meet the partner that asks and the one that has the customer, and neither is told of the
other before the customer says yes. Its owner stays who it was (CUS-46). Locks are taken in one
order: the customer, its consent, the import.
"""

from typing import Final, Literal
from uuid import UUID

from sqlalchemy import exists, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database import Transaction
from chassis.due import Due, DueItem, Retry
from contracts.customers.consents import Addressee
from contracts.customers.imports import CustomerImportDeclined, CustomerImported, CustomerImportExpired
from customers.rules import consenting
from customers.rules.actions import RUNNING
from customers.rules.asking import BY_TIME, Asking, contact_of
from customers.rules.importing import ASK, EXPIRE, SETTLE, tell_import
from customers.rules.names import company_key
from customers.rules.rehoming import rehome
from customers.rules.signing_in import customer_may
from customers.rules.signing_out import sign_out_users
from customers.tables.consents import Consent
from customers.tables.customers import LIVING, Customer
from customers.tables.imports import Import
from customers.tables.partners import Partner
from customers.tables.users import User

_ACROSS: Final = {"across_partners": "an import stands between two partners, and only the worker sees both"}


async def ask(tx: Transaction, item: DueItem) -> None:
    """Have the customer asked whose account it is; where it is nobody's, nothing more happens."""
    wanted = await tx.session.get(Import, (tx.partner_id, item.subject))
    customer = await _found(tx, wanted.email_key) if wanted is not None else None
    one = await _open(tx.session, tx.partner_id, item.subject)
    if customer is None or one is None:
        return
    async with tx.beside(customer.partner_id) as theirs:
        question = Asking(
            kind="import",
            scope={"partner_id": str(one.partner_id), "management_type": one.management_type},
            partner_id=one.partner_id,
            user_id=one.requested_by,
            evidence=item.payload,
            consent_id=one.id,
        )
        await consenting.ask(theirs, customer, question, await _addressee(theirs, customer, one))


async def settle(tx: Transaction, item: DueItem) -> None:
    """Carry out what the customer has answered; ``item`` is its, wherever it went meanwhile.

    Raises:
        Retry: it is being moved; whoever gets it, it is imported from there.
    """
    customer = await _customer(tx.session, tx.partner_id, item.subject)
    consent = await tx.session.get(Consent, (tx.partner_id, UUID(item.slot)))
    if customer is None or consent is None:
        return
    if customer.moving_to is not None:
        raise Retry.soon("the customer is being moved", item)
    one = await _open(tx.session, consent.asked_by_partner_id, consent.id)
    if one is None:
        return
    if consent.state == "declined":
        await _decline(tx, one, "customer")
    elif customer.status not in RUNNING:
        await _lapse(tx, one, "not_served")
    elif await _has_company(tx.session, one.partner_id, customer):
        await _decline(tx, one, "duplicate_company")
    else:
        await _import(tx, customer, one)


async def expire(tx: Transaction, item: DueItem) -> None:
    """End what nobody has answered in time. An answer that came before is carried out by ``settle``."""
    asked = select(Consent.partner_id, Consent.customer_id).where(Consent.id == item.subject)
    whose = (await tx.session.execute(asked, execution_options=_ACROSS)).one_or_none()
    if whose is not None:
        customer = await _customer(tx.session, whose.partner_id, whose.customer_id)
        if customer is not None and not await _ended(tx, customer, item.subject):
            return
    one = await _open(tx.session, tx.partner_id, item.subject)
    if one is not None:
        await _lapse(tx, one)


DUE: Final = (Due(ASK, ask), Due(SETTLE, settle), Due(EXPIRE, expire))


async def _found(tx: Transaction, key: str) -> Customer | None:
    """The customer of an address, held; None where none may be asked. What is play stays apart from what is not."""
    account = (await tx.session.execute(text("select * from door.find_account(:key)"), {"key": key})).one_or_none()
    if account is None or tx.sandbox or account.partner_id == tx.partner_id:
        return None
    real = select(Partner.id).where(Partner.partner_id == account.partner_id, ~Partner.sandbox)
    customer = await _customer(tx.session, account.partner_id, account.customer_id)
    if customer is None or customer.status != "active" or await tx.session.scalar(real) is None:
        return None
    return customer


async def _ended(tx: Transaction, customer: Customer, consent_id: UUID) -> bool:
    """Let the question to a customer end; False where it has said yes or no."""
    async with tx.beside(customer.partner_id) as theirs:
        consent = await consenting.hold(theirs, consent_id)
        if consent.state == "requested":
            await consenting.settle(theirs, customer, consent, "expired", evidence=BY_TIME)
    return consent.state in {"expired", "superseded"}


async def _decline(tx: Transaction, one: Import, reason: Literal["customer", "duplicate_company"]) -> None:
    async with tx.beside(one.partner_id) as asker:
        one.status, one.reason, one.updated_at = "declined", reason, tx.now
        await asker.session.flush()
        tell_import(asker, one, CustomerImportDeclined(reason=reason, email=one.email, requested_by=one.requested_by))


async def _lapse(tx: Transaction, one: Import, reason: Literal["not_served"] | None = None) -> None:
    """Its time is over; or the customer said yes, and is going or gone by now."""
    async with tx.beside(one.partner_id) as asker:
        one.status, one.reason, one.updated_at = "expired", reason, tx.now
        await asker.session.flush()
        tell_import(asker, one, CustomerImportExpired(email=one.email, requested_by=one.requested_by))


async def _import(tx: Transaction, customer: Customer, one: Import) -> None:
    one.status, one.customer_id, one.updated_at = "imported", customer.id, tx.now
    if customer.partner_id == one.partner_id:
        return
    customer.imported_at = tx.now
    customer.management_type = one.management_type or customer.management_type
    arrived = CustomerImported(import_id=one.id, owner_partner_id=customer.owner_partner_id, email=one.email, requested_by=one.requested_by)
    if not customer_may(customer.management_type):
        customer.shut_out_at = None
        await sign_out_users(tx, customer)
    await rehome(tx, customer, one.partner_id, arriving=arrived)


async def _has_company(session: AsyncSession, partner_id: UUID, customer: Customer) -> bool:
    """Whether the partner has the same company under another address, which nobody may have twice (CUS-12)."""
    key = company_key(customer.company["name"])
    same = (Customer.company_key == key, Customer.country == customer.country, Customer.id != customer.id)
    return bool(await session.scalar(select(exists().where(Customer.partner_id == partner_id, *same, text(LIVING)))))


async def _customer(session: AsyncSession, partner_id: UUID, customer_id: UUID) -> Customer | None:
    found = select(Customer).where(Customer.partner_id == partner_id, Customer.id == customer_id)
    return (await session.scalars(found.with_for_update().execution_options(populate_existing=True))).one_or_none()


async def _open(session: AsyncSession, partner_id: UUID, import_id: UUID) -> Import | None:
    """An import without an outcome, held; None where it has one, or was forgotten with the customer that it named."""
    found = select(Import).where(Import.partner_id == partner_id, Import.id == import_id, Import.status == "requested")
    return (await session.scalars(found.with_for_update().execution_options(populate_existing=True))).one_or_none()


async def _addressee(tx: Transaction, customer: Customer, one: Import) -> Addressee:
    """Who has the address that was named, as it is kept here: the contact, or one of its users."""
    contact = contact_of(customer)
    if contact.email.lower() == one.email_key:
        return contact
    named = select(User).where(User.partner_id == tx.partner_id, User.customer_id == customer.id, func.lower(User.email) == one.email_key)
    user = (await tx.session.scalars(named)).one()
    return contact.model_copy(update={"email": user.email, "name": user.name})
