"""Details of a customer: changed as far as the policy opens them to who asks (CUS-39, CUS-40, CUS-41, C-6).

What is changed follows the rules of a creation. A company, a country or a contact by another name
is screened again, and a concern holds the customer from then on: nothing new is provisioned,
nobody signs in, what runs goes on. What a former contact has not answered is asked of the new one; a
customer's own user, who answers for it too, leaves that as it is. Two renamed to one company at once:
the unique index refuses the later one. Subscriptions keep the time zone that they began with.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from chassis.database import Transaction
from chassis.http.etags import Seen
from contracts.customers.customers import Company, Contact, CustomerUpdated
from contracts.records import Part
from customers.errors import DuplicateCompany, EmailTaken
from customers.rules import actions, capabilities, consenting, mutability, vicinity
from customers.rules.constraints import settle
from customers.rules.holding import hold
from customers.rules.names import company_key, search_key
from customers.rules.objections import Objections
from customers.rules.particulars import Finding, denied, is_the_reseller, kept_company, kept_contact, odd, works_for_the_reseller
from customers.rules.reviewing import hold_for
from customers.rules.telling import tell_customer
from customers.rules.vicinity import Vicinity
from customers.tables.customers import Customer

MACS: Final = "/unmanaged_macs_allowed"
_COMPANY: Final = frozenset({"/company/name", "/company/country"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeDetails:
    """``seen`` is the version that the caller has seen; what ``company`` and ``contact`` leave out stays."""

    customer_id: UUID
    seen: Seen
    company: Mapping[str, str | None]
    contact: Mapping[str, str | None]
    unmanaged_macs_allowed: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Details:
    """As they are to be, and which of them are other than before, as JSON pointers."""

    company: Company
    contact: Contact
    unmanaged_macs_allowed: bool
    changed: frozenset[str]


async def change(tx: Transaction, command: ChangeDetails) -> Customer:
    """Change details of a customer. What is as it was already is told to nobody.

    Raises:
        CustomerNotFound: there is none.
        StatusForbids: it is on its way out.
        Refusal: with everything that is wrong at once.
    """
    customer = await hold(tx, command.customer_id, command.seen)
    await capabilities.require(tx, actions.EDIT, customer)
    objections = Objections()
    details = _details(customer, command, objections)
    if not details.changed:
        objections.refuse()
        return customer
    (await mutability.of(tx, "customer", customer)).check(sorted(details.changed), objections)
    near = await vicinity.around(tx, customer, details.company, details.contact)
    _examine(details, near, objections)
    objections.refuse()
    await _keep(tx, customer, details, _found(customer, details, near))
    return customer


def _details(customer: Customer, command: ChangeDetails, objections: Objections) -> _Details:
    company, contact = Company.model_validate(customer.company), Contact.model_validate(customer.contact)
    named = Company.model_validate(customer.company | dict(command.company))
    wanted = kept_company(named, objections)
    person = kept_contact(Contact.model_validate(customer.contact | dict(command.contact)), named.country, objections)
    macs = customer.unmanaged_macs_allowed if command.unmanaged_macs_allowed is None else command.unmanaged_macs_allowed
    changed = {*_differing("/company", company, wanted), *_differing("/contact", contact, person)}
    if macs != customer.unmanaged_macs_allowed:
        changed.add(MACS)
    return _Details(company=wanted, contact=person, unmanaged_macs_allowed=macs, changed=frozenset(changed))


def _differing[P: Part](above: str, before: P, after: P) -> Iterator[str]:
    return (f"{above}/{name}" for name in type(before).model_fields if getattr(before, name) != getattr(after, name))


def _examine(details: _Details, near: Vicinity, objections: Objections) -> None:
    if "/contact/email" in details.changed:
        works_for_the_reseller("/contact/email", details.contact.email, near.staff_domains, objections)
        if near.email_taken:
            objections.against(EmailTaken, "/contact/email")
    if "/company/name" in details.changed:
        is_the_reseller(details.company.name, near.partner_name, objections)
    if details.changed & _COMPANY and near.company_exists:
        objections.against(DuplicateCompany, "/company/name")


def _found(customer: Customer, details: _Details, near: Vicinity) -> list[Finding]:
    """Denied parties; what looks odd only delays whom a person looks at anyway (CUS-13, CUS-14)."""
    names = {"/company/name": details.company.name} if details.changed & _COMPANY else {}
    if "/contact/name" in details.changed:
        names["/contact/name"] = details.contact.name
    concerns = denied(names, near.denied)
    if customer.status != "pending_review":
        return concerns
    looks = odd(details.company.model_dump(), {"/contact/name": details.contact.name})
    return [*(one for one in looks if one.pointer in details.changed), *concerns]


async def _keep(tx: Transaction, customer: Customer, details: _Details, findings: list[Finding]) -> None:
    former_email = customer.contact["email"]
    customer.company = details.company.model_dump(mode="json")
    customer.contact = details.contact.model_dump(mode="json")
    customer.name, customer.country = details.company.name, details.company.country
    customer.name_key, customer.company_key = search_key(details.company.name), company_key(details.company.name)
    customer.unmanaged_macs_allowed = details.unmanaged_macs_allowed
    customer.updated_at = tx.now
    held = await hold_for(tx, customer, findings)
    await settle(tx, "/contact/email")
    updated = CustomerUpdated(fields=[pointer.lstrip("/").replace("/", ".") for pointer in sorted(details.changed)])
    tell_customer(tx, customer, *([updated, held] if held else [updated]))
    if "/contact/email" in details.changed and tx.principal is not None and tx.principal.kind != "customer":
        await consenting.ask_anew(tx, customer, former_email)
