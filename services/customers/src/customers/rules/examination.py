"""Examining an application: everything that is wrong with it at once, and what a person should look at.

Pure: what it has to know comes with the surroundings. An objection refuses; a finding only
holds the customer in review.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from contracts.customers.customers import Company, Contact, FirstAdmin, ProductAsked
from customers.errors import DuplicateCompany, EmailTaken, EulaOutdated, SeatCapExceeded
from customers.rules import domains, oddities, phones, provisioning, websites
from customers.rules.application import CreateCustomer
from customers.rules.identity import Admin, objection
from customers.rules.names import company_key
from customers.rules.objections import Objections
from customers.rules.surroundings import Surroundings
from customers.tables.known import KnownOffer

_LOOKED_AT: Final = ("name", "address_1", "city")
_MAY_BE_CODES: Final = ("address_2", "address_3", "region", "postal_code")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Why a person should look: ``code`` is told to the partner, the rest only to the reviewer."""

    code: str
    pointer: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """An application without objection, in the form it is kept."""

    company: Company
    contact: Contact
    domain: str
    admin: Admin
    findings: tuple[Finding, ...]

    @property
    def reasons(self) -> list[str]:
        return sorted({finding.code for finding in self.findings})

    def first_admin(self, user_id: UUID) -> FirstAdmin:
        admin = self.admin
        return FirstAdmin(
            user_id=user_id, first_name=admin.first_name, last_name=admin.last_name, email=str(admin.email), temporary=admin.temporary
        )


def examine(command: CreateCustomer, admin: Admin, known: Surroundings) -> Accepted:
    """Accept an application, or refuse it with all that is wrong.

    Raises:
        Refusal: ``not_acceptable``, or what all objections have in common.
    """
    objections = Objections()
    company = _company(command.company, objections)
    contact = _contact(command, objections)
    domain = _domain(command.domain, objections)
    if domain is not None:
        _first_admin(admin, domain, known, objections)
    _not_the_reseller(command, domain, known, objections)
    _unique(command, admin, known, objections)
    _products(command, known, objections)
    _policies(command, known, objections)
    objections.refuse()
    findings = (*_odd(command, admin), *_denied(command, admin, known))
    return Accepted(company=company, contact=contact, domain=str(domain), admin=admin, findings=findings)


def _policies(command: CreateCustomer, known: Surroundings, objections: Objections) -> None:
    """CUS-26, MKT-03."""
    regions, terms = known.residency.policy.regions, known.terms.policy
    if command.data_region not in regions:
        remedy = f"Choose one of {', '.join(sorted(regions))}."
        detail = "The installation does not serve this region."
        objections.add("/data_region", "unknown_region", detail, rule="MKT-03", remedy=remedy, by=known.residency)
    if command.eula_version != terms.version:
        objections.against(EulaOutdated, "/eula/version", f"Version {terms.version} of the licence terms is in force.", by=known.terms)


def _company(company: Company, objections: Objections) -> Company:
    phone, website = company.phone, company.website
    if phone is not None and (phone := phones.e164(phone, company.country)) is None:
        objections.add("/company/phone", "phone", "Not a phone number.")
    if website is not None and (website := websites.address(website)) is None:
        objections.add("/company/website", "website", "Not the address of a website.")
    return company.model_copy(update={"phone": phone, "website": website})


def _contact(command: CreateCustomer, objections: Objections) -> Contact:
    phone = command.contact.phone
    if phone is not None and (phone := phones.e164(phone, command.company.country)) is None:
        objections.add("/contact/phone", "phone", "Not a phone number.")
    return command.contact.model_copy(update={"phone": phone})


def _domain(text: str, objections: Objections) -> str | None:
    """CUS-21."""
    try:
        return domains.bare(text)
    except domains.BadDomain as bad:
        objections.add("/domain", bad.code, str(bad), rule="CUS-21")
        return None


def _first_admin(admin: Admin, domain: str, known: Surroundings, objections: Objections) -> None:
    """CUS-23, CUS-24."""
    against = objection(admin.email, domain, known.identity.policy, temporary=admin.temporary)
    if against is not None:
        objections.add(admin.pointer, against.code, against.detail, rule=against.rule, remedy=against.remedy, by=known.identity)


def _not_the_reseller(command: CreateCustomer, domain: str | None, known: Surroundings, objections: Objections) -> None:
    """The customer's data, never the reseller's (CUS-09, CUS-18)."""
    staff = {one for one in known.staff_domains if one not in domains.FREE_MAIL}
    if any(domains.together(domains.of_email(command.contact.email), one) for one in staff):
        objections.add("/contact/email", "reseller_contact", "The contact must work at the end company, not at the partner.", rule="CUS-09")
    if domain is not None and any(domains.together(domain, one) for one in staff):
        objections.add("/domain", "reseller_domain", "This is the partner's own domain; give the end company's.", rule="CUS-18")
    if known.partner_name and company_key(command.company.name) == company_key(known.partner_name):
        objections.add("/company/name", "reseller_company", "This is the partner itself; give the end company.", rule="CUS-18")


def _unique(command: CreateCustomer, admin: Admin, known: Surroundings, objections: Objections) -> None:
    """CUS-11, CUS-12."""
    wanted = {"/contact/email": command.contact.email, admin.pointer: admin.email}
    for pointer, email in wanted.items():
        if email is not None and email.lower() in known.taken:
            objections.against(EmailTaken, pointer)
    if known.company_exists:
        objections.against(DuplicateCompany, "/company/name")


def _products(command: CreateCustomer, known: Surroundings, objections: Objections) -> None:
    """CUS-15, CUS-17. What the catalogue or the programme forbids is refused here, not later."""
    if not command.products:
        objections.add("/products", "too_few", "At least one product or trial.", rule="CUS-15")
    seen = set[str]()
    for number, product in enumerate(command.products):
        pointer = f"/products/{number}"
        if product.offer in seen:
            objections.add(f"{pointer}/offer", "offer_twice", "Ask for each offer once; say how many in quantity.")
        seen.add(product.offer)
        _offered(product, known.offers.get(product.offer), pointer, objections)
        against = provisioning.against(product, known.capabilities, known.provisioning.policy)
        if against is not None:
            objections.against(against, f"{pointer}/kind", by=known.provisioning)


def _offered(product: ProductAsked, offer: KnownOffer | None, pointer: str, objections: Objections) -> None:
    if offer is None:
        remedy = "Choose one that GET /v1/offers lists."
        objections.add(f"{pointer}/offer", "unknown_offer", "There is no such offer.", rule="LIC-03", remedy=remedy)
    elif offer.status != "on_sale":
        objections.add(f"{pointer}/offer", "offer_withdrawn", "The offer is not on sale any more.", rule="MKT-12")
    elif product.kind == "trial" and not offer.trial:
        objections.add(f"{pointer}/kind", "no_trial", "The offer cannot be tried.", rule="C-1")
    elif product.kind == "paid" and not offer.paid:
        objections.add(f"{pointer}/kind", "no_price", "The offer has no price.", rule="LIC-03")
    elif product.kind == "trial" and offer.trial_seat_cap is not None and (product.quantity or 0) > offer.trial_seat_cap:
        objections.against(SeatCapExceeded, f"{pointer}/quantity", f"A trial of this offer has at most {offer.trial_seat_cap} seats.")
    elif product.quantity is None and (product.kind == "paid" or offer.trial_seat_cap is None):
        remedy = "Say how many seats."
        objections.add(f"{pointer}/quantity", "quantity_required", "The offer does not say how many seats.", rule="LIC-03", remedy=remedy)


def _odd(command: CreateCustomer, admin: Admin) -> list[Finding]:
    """CUS-14."""
    company = command.company
    texts = {f"/company/{name}": getattr(company, name) for name in _LOOKED_AT} | {"/contact/name": command.contact.name}
    if command.first_admin is not None:
        texts |= {"/first_admin/first_name": admin.first_name, "/first_admin/last_name": admin.last_name}
    codes = {f"/company/{name}": text for name in _MAY_BE_CODES if (text := getattr(company, name)) is not None}
    special = [at for at, text in (texts | codes).items() if oddities.special(text)]
    filled = [at for at, text in texts.items() if oddities.placeholder(text)]
    filled += [at for at, text in codes.items() if oddities.placeholder_code(text)]
    found = (("special_characters", special), ("placeholder_data", filled))
    return [Finding(code=code, pointer=at, detail=(texts | codes)[at]) for code, places in found for at in places]


def _denied(command: CreateCustomer, admin: Admin, known: Surroundings) -> list[Finding]:
    """CUS-13."""
    names = {"/company/name": command.company.name, "/contact/name": command.contact.name, "/first_admin": admin.name}
    if admin.name == command.contact.name:
        names.pop("/first_admin")
    return [
        Finding(
            code="denied_party",
            pointer=pointer,
            detail=f"{match.party.list_name} {match.party.reference}: {match.party.name} ({match.party.country or '-'}), {match.score} %",
        )
        for pointer, name in names.items()
        for match in known.denied.matches(name)
    ]
