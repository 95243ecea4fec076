"""Examining an application: everything that is wrong with it at once, and what a person should look at.

Pure: what it has to know comes with the surroundings. An objection refuses; a finding only
holds the customer in review. One that is not whole yet is surveyed by the very same rules.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from chassis.errors import FieldError
from contracts.customers.customers import Company, Contact, FirstAdmin, ProductAsked
from customers.errors import DuplicateCompany, EmailTaken, EulaOutdated, SeatCapExceeded, TrialUsedUp
from customers.rules import domains, provisioning, residency
from customers.rules.application import CreateCustomer, Sketch
from customers.rules.identity import Admin, objection
from customers.rules.objections import Objections
from customers.rules.particulars import (
    Finding,
    denied,
    is_the_reseller,
    kept_company,
    kept_contact,
    kept_phone,
    kept_website,
    odd,
    works_for_the_reseller,
)
from customers.rules.surroundings import Surroundings
from customers.tables.known import KnownOffer


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """An application without objection, in the form it is kept."""

    company: Company
    contact: Contact
    domain: str
    admin: Admin
    findings: tuple[Finding, ...]

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
    objections, sketch = Objections(), Sketch.of(command)
    company = kept_company(command.company, objections)
    contact = kept_contact(command.contact, command.company.country, objections)
    domain = _object_to(sketch, admin, known, objections)
    objections.refuse()
    findings = (*odd(sketch.company, _people(sketch)), *denied(_names(command, admin), known.denied))
    return Accepted(company=company, contact=contact, domain=str(domain), admin=admin, findings=findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What is to be said of an application that is not sent yet: what would refuse it, and what looks odd.

    Whether somebody is on a list is not among it, so that nobody tries which names are.
    """

    problems: tuple[FieldError, ...]
    oddities: tuple[Finding, ...]


def survey(sketch: Sketch, admin: Admin | None, known: Surroundings) -> Survey:
    """What the rules have to say to an application as far as it is filled in."""
    objections, country = Objections(), sketch.company.get("country")
    kept_phone("/company/phone", sketch.company.get("phone"), country, objections)
    kept_website("/company/website", sketch.company.get("website"), objections)
    kept_phone("/contact/phone", sketch.contact.get("phone"), country, objections)
    _object_to(sketch, admin, known, objections)
    return Survey(problems=objections.errors, oddities=tuple(odd(sketch.company, _people(sketch))))


def _object_to(sketch: Sketch, admin: Admin | None, known: Surroundings, objections: Objections) -> str | None:
    """Collect the objections; answers the domain as it is kept."""
    domain = None if sketch.domain is None else _domain(sketch.domain, objections)
    if domain is not None and admin is not None:
        _first_admin(admin, domain, known, objections)
    _not_the_reseller(sketch, admin, domain, known, objections)
    _unique(sketch, admin, known, objections)
    if sketch.products is not None:
        _products(sketch.products, known, objections)
    _policies(sketch, known, objections)
    return domain


def _policies(sketch: Sketch, known: Surroundings, objections: Objections) -> None:
    """CUS-26, MKT-03."""
    regions, terms = known.residency.policy.regions, known.terms.policy
    if sketch.data_region is not None and not residency.serves(known.residency.policy, sketch.data_region):
        remedy = f"Choose one of {', '.join(sorted(regions))}."
        detail = "The installation does not serve this region."
        objections.add("/data_region", "unknown_region", detail, rule="MKT-03", remedy=remedy, by=known.residency)
    if sketch.eula_version is not None and sketch.eula_version != terms.version:
        objections.against(EulaOutdated, "/eula/version", f"Version {terms.version} of the licence terms is in force.", by=known.terms)


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


def _not_the_reseller(sketch: Sketch, admin: Admin | None, domain: str | None, known: Surroundings, objections: Objections) -> None:
    """The customer's data, never the reseller's (CUS-09, CUS-18)."""
    staff = known.staff_domains
    for pointer, email in _addresses(sketch, admin).items():
        works_for_the_reseller(pointer, email, staff, objections)
    if domain is not None and any(domains.together(domain, one) for one in staff):
        objections.add("/domain", "reseller_domain", "This is the partner's own domain; give the end company's.", rule="CUS-18")
    if name := sketch.company.get("name"):
        is_the_reseller(name, known.partner_name, objections)


def _unique(sketch: Sketch, admin: Admin | None, known: Surroundings, objections: Objections) -> None:
    """CUS-11, CUS-12."""
    for pointer, email in _addresses(sketch, admin).items():
        if email.lower() in known.taken:
            objections.against(EmailTaken, pointer)
    if known.company_exists:
        objections.against(DuplicateCompany, "/company/name")


def _products(products: Sequence[ProductAsked], known: Surroundings, objections: Objections) -> None:
    """CUS-15, CUS-17. What the catalogue or the programme forbids is refused here, not later."""
    if not products:
        objections.add("/products", "too_few", "At least one product or trial.", rule="CUS-15")
    seen, tried = set[str](), Counter[str]()
    for product in products:
        pointer, offer = f"/products/{product.item - 1}", known.offers.get(product.offer)
        if product.offer in seen:
            objections.add(f"{pointer}/offer", "offer_twice", "Ask for each offer once; say how many in quantity.")
        elif product.kind == "trial" and offer is not None and offer.product is not None:
            tried[offer.product] += 1
            if offer.trials_per_product is not None and tried[offer.product] > offer.trials_per_product:
                objections.against(TrialUsedUp, f"{pointer}/offer")
        seen.add(product.offer)
        _offered(product, offer, pointer, objections)
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


def _addresses(sketch: Sketch, admin: Admin | None) -> dict[str, str]:
    """Those of the contact and of the first admin, as far as they are known."""
    named = {"/contact/email": sketch.contact.get("email")} | ({admin.pointer: admin.email} if admin else {})
    return {pointer: email for pointer, email in named.items() if email is not None}


def _people(sketch: Sketch) -> dict[str, str]:
    """Names as they were written."""
    names = {"/contact/name": name} if (name := sketch.contact.get("name")) else {}
    if (admin := sketch.first_admin) is not None:
        names |= {"/first_admin/first_name": admin.first_name, "/first_admin/last_name": admin.last_name}
    return names


def _names(command: CreateCustomer, admin: Admin) -> dict[str, str]:
    """Whoever may be on a list, each once."""
    names = {"/company/name": command.company.name, "/contact/name": command.contact.name, "/first_admin": admin.name}
    if admin.name == command.contact.name:
        names.pop("/first_admin")
    return names
