"""Surroundings: what is known around an application before it is examined, read in two statements."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, Text, Uuid, any_, bindparam, exists, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from chassis.database import Transaction
from chassis.policies import InForce
from customers.rules import listed, policies, staff
from customers.rules.application import Sketch
from customers.rules.identity import Admin, IdentityPolicy
from customers.rules.licence_terms import LicenceTerms
from customers.rules.names import company_key
from customers.rules.provisioning import ProvisioningPolicy
from customers.rules.residency import ResidencyPolicy
from customers.rules.screening import Index
from customers.tables.customers import LIVING, Customer
from customers.tables.known import KnownOffer, KnownProgramme
from customers.tables.partners import Partner


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """``staff_domains`` tell the partner's own people; ``taken`` are addresses that somebody has, in lower case.

    ``capabilities`` are what the partner's active programme grants; ``terms`` are the licence terms.
    """

    partner_name: str
    staff_domains: frozenset[str]
    taken: frozenset[str]
    company_exists: bool
    capabilities: frozenset[str]
    offers: dict[str, KnownOffer]
    identity: InForce[IdentityPolicy]
    provisioning: InForce[ProvisioningPolicy]
    terms: InForce[LicenceTerms]
    residency: InForce[ResidencyPolicy]
    denied: Index


async def around(tx: Transaction, sketch: Sketch, admin: Admin | None) -> Surroundings:
    """What the partner's own rows, the doors, the lists and the policies say about an application, as far as it goes."""
    emails = (sketch.contact.get("email"), admin.email if admin else None)
    values = {
        "partner_id": tx.partner_id,
        "emails": sorted({email.lower() for email in emails if email}),
        "company_key": company_key(sketch.company.get("name") or ""),
        "country": sketch.company.get("country"),
    }
    row = (await tx.session.execute(_LOOK, values)).one()
    offers = await tx.session.scalars(_OFFERS, {"codes": sorted({product.offer for product in sketch.products or ()})})
    return Surroundings(
        partner_name=row.partner_name or "",
        staff_domains=staff.telling(row.staff_domains),
        taken=frozenset(row.taken),
        company_exists=row.company_exists,
        capabilities=frozenset(row.capabilities or ()),
        offers={offer.code: offer for offer in offers},
        identity=InForce.among(row.policies, IdentityPolicy),
        provisioning=InForce.among(row.policies, ProvisioningPolicy),
        terms=InForce.among(row.policies, LicenceTerms),
        residency=InForce.among(row.policies, ResidencyPolicy),
        denied=await listed.parties(tx, row.loads),
    )


def _look() -> Select[Any]:
    """One row of everything but the offers; written once, because every creation runs it."""
    mine = bindparam("partner_id", type_=Uuid())
    company = Customer.company_key == bindparam("company_key"), Customer.country == bindparam("country")
    emails = bindparam("emails", type_=ARRAY(Text))
    each = select(func.unnest(KnownProgramme.capabilities).label("one"))
    active = each.where(KnownProgramme.partner_id == mine, KnownProgramme.status == "active").subquery()
    granted = select(func.array_agg(active.c.one.distinct()))
    return select(
        select(Partner.name).where(Partner.partner_id == mine, Partner.id == mine).scalar_subquery().label("partner_name"),
        staff.DOMAINS.scalar_subquery().label("staff_domains"),
        func.door.taken_emails(emails, type_=ARRAY(Text)).label("taken"),
        exists().where(Customer.partner_id == mine, *company, text(LIVING)).label("company_exists"),
        granted.scalar_subquery().label("capabilities"),
        policies.documents.together(IdentityPolicy, ProvisioningPolicy, LicenceTerms, ResidencyPolicy).label("policies"),
        listed.LOADS.scalar_subquery().label("loads"),
    )


_LOOK: Final = _look()
_OFFERS: Final = select(KnownOffer).where(KnownOffer.code == any_(bindparam("codes", type_=ARRAY(Text)))).order_by(KnownOffer.version)
