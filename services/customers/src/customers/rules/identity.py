"""Identity: who signs in first for a new customer, and which addresses that may be (CUS-10, CUS-22 to CUS-24, C-3)."""

import re
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from anyascii import anyascii
from pydantic import TypeAdapter, ValidationError

from chassis.http.text import EmailAddress
from chassis.policies import Policy
from customers.rules import domains
from customers.rules.application import CreateCustomer, FirstAdminWanted, Sketch

_NO_LOCAL: Final = re.compile(r"[^a-z0-9-]+")
_LONGEST: Final = 64
_ADDRESS: Final = TypeAdapter[str](EmailAddress)


class IdentityPolicy(Policy):
    """``first_admin`` says whether the first address must be on the customer's domain."""

    kind: ClassVar[str] = "identity"

    first_admin: Literal["same_domain", "any"]
    temporary_allowed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Admin:
    """Who signs in first. ``pointer`` is where the body says the address, or would have said it."""

    first_name: str
    last_name: str
    email: str | None
    temporary: bool
    pointer: str

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()


def first_admin(command: CreateCustomer) -> Admin:
    """The person named, or else the contact, whose address then becomes the login."""
    wanted = command.first_admin
    return _named(wanted, command.domain) if wanted else _contact(command.contact.name, command.contact.email)


def sketched(sketch: Sketch) -> Admin | None:
    """The same of an application that is not whole; None where it does not say enough."""
    if sketch.first_admin is not None:
        return _named(sketch.first_admin, sketch.domain or "")
    name, email = sketch.contact.get("name"), sketch.contact.get("email")
    return _contact(name or "", email) if email else None


def _named(wanted: FirstAdminWanted, domain: str) -> Admin:
    return Admin(
        first_name=wanted.first_name,
        last_name=wanted.last_name,
        email=wanted.email or generated(wanted.first_name, wanted.last_name, domain),
        temporary=wanted.temporary,
        pointer="/first_admin/email",
    )


def _contact(name: str, email: str) -> Admin:
    first, _, last = name.rpartition(" ")
    names = (first, last) if first else (last, "")
    return Admin(first_name=names[0], last_name=names[1], email=email, temporary=False, pointer="/contact/email")


def generated(first_name: str, last_name: str, domain: str) -> str | None:
    """``first.last@domain`` in plain ASCII; None when nothing of the names is left, or nobody could be written to there."""
    parts = [_NO_LOCAL.sub("", anyascii(name).casefold()).strip("-") for name in (first_name, last_name)]
    local = ".".join(filter(None, parts))[:_LONGEST].rstrip(".-")
    try:
        return _ADDRESS.validate_python(f"{local}@{domains.bare(domain)}")
    except (domains.BadDomain, ValidationError):
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """What the policy has against an address."""

    code: str
    detail: str
    rule: str
    remedy: str


def objection(email: str | None, domain: str, policy: IdentityPolicy, *, temporary: bool) -> Objection | None:
    """What the policy has against the first admin's address, if anything."""
    if email is None:
        detail = "No address can be made of these names and this domain."
        return Objection(code="email_needed", detail=detail, rule="CUS-22", remedy="Give an address.")
    if temporary and not policy.temporary_allowed:
        remedy = f"Give an address on {domain}."
        return Objection(code="temporary_not_allowed", detail="Temporary addresses are not allowed.", rule="CUS-24", remedy=remedy)
    if policy.first_admin == "any" or temporary or domains.on(domain, email):
        return None
    remedy = f"Give an address on {domain}." if not policy.temporary_allowed else f"Give an address on {domain}, or a temporary one."
    return Objection(code="foreign_domain", detail=f"The first address must be on {domain}.", rule="CUS-23", remedy=remedy)
