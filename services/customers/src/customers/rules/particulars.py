"""Particulars: a company and its contact in the form they are kept, what is against them, and what a person should look at.

The same for an application and for an edit (CUS-07 to CUS-09, CUS-13, CUS-14, CUS-18, CUS-39).
Pure: an objection refuses, a finding only leads to a review.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from contracts.customers.customers import Company, Contact
from customers.rules import domains, lookalikes, oddities, phones, websites
from customers.rules.names import company_key
from customers.rules.objections import Objections
from customers.rules.screening import DeniedParty, Index

_LOOKED_AT: Final = ("name", "address_1", "city")
_MAY_BE_CODES: Final = ("address_2", "address_3", "region", "postal_code")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Why a person should look: ``code`` is told to the partner, the rest only to the reviewer.

    ``entry`` is what a list calls the party that ``name`` is like.
    """

    code: str
    pointer: str
    detail: str
    entry: str | None = None
    name: str | None = None


def kept_company(company: Company, objections: Objections) -> Company:
    phone = kept_phone("/company/phone", company.phone, company.country, objections)
    return company.model_copy(update={"phone": phone, "website": kept_website("/company/website", company.website, objections)})


def kept_contact(contact: Contact, country: str, objections: Objections) -> Contact:
    return contact.model_copy(update={"phone": kept_phone("/contact/phone", contact.phone, country, objections)})


def kept_phone(pointer: str, phone: str | None, country: str | None, objections: Objections) -> str | None:
    """A national number is read as the company's country's."""
    kept = phone and phones.kept(phone, country)
    if phone is not None and kept is None:
        objections.add(pointer, "phone", "Not a phone number.")
    return kept


def kept_website(pointer: str, website: str | None, objections: Objections) -> str | None:
    kept = website and websites.address(website)
    if website is not None and kept is None:
        objections.add(pointer, "website", "Not the address of a website.")
    return kept


def works_for_the_reseller(pointer: str, email: str, staff_domains: Collection[str], objections: Objections) -> None:
    """Who answers or signs in for the customer is a person of the end company (CUS-09, CUS-49)."""
    if any(domains.together(domains.of_email(email), one) for one in staff_domains):
        objections.add(pointer, "reseller_contact", "This must be somebody of the end company, not of the partner.", rule="CUS-09")


def is_the_reseller(name: str, partner_name: str, objections: Objections) -> None:
    """The customer's data, never the reseller's (CUS-18)."""
    if partner_name and company_key(name) == company_key(partner_name):
        objections.add("/company/name", "reseller_company", "This is the partner itself; give the end company.", rule="CUS-18")


def odd(company: Mapping[str, str | None], names: Mapping[str, str]) -> list[Finding]:
    """What looks odd in a company and in the names of its people, by pointer (CUS-14)."""
    texts = {f"/company/{name}": text for name in _LOOKED_AT if (text := company.get(name)) is not None} | dict(names)
    codes = {f"/company/{name}": text for name in _MAY_BE_CODES if (text := company.get(name)) is not None}
    special = [at for at, text in (texts | codes).items() if oddities.special(text)]
    filled = [at for at, text in texts.items() if oddities.placeholder(text)]
    filled += [at for at, text in codes.items() if oddities.placeholder_code(text)]
    masked = [at for at, text in texts.items() if lookalikes.disguised(text)]
    found = (("special_characters", special), ("placeholder_data", filled), ("mixed_alphabets", masked))
    return [Finding(code=code, pointer=at, detail=(texts | codes)[at]) for code, places in found for at in places]


def denied(names: Mapping[str, str], lists: Index) -> list[Finding]:
    """Denied parties that names are like, by pointer (CUS-13)."""
    return [
        Finding(
            code="denied_party",
            pointer=pointer,
            detail=f"{match.party.entry}: {match.party.name} ({_about(match.party)}), {match.score} %",
            entry=match.party.entry,
            name=name,
        )
        for pointer, name in names.items()
        for match in lists.matches(name)
    ]


def _about(party: DeniedParty) -> str:
    """What helps to tell it from others of its name."""
    weak = "weak alias" if party.weak else None
    return ", ".join(filter(None, (party.entity_type, party.country, weak))) or "-"
