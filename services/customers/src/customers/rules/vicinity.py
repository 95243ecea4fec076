"""Vicinity: what is known around a customer before its details are changed, read in one statement.

A customer's own user sees no staff of the partner, and need not: that a customer is not the
reseller itself (CUS-09, CUS-18) is asked of the reseller.
"""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, Text, Uuid, bindparam, exists, func, null, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from chassis.database import Transaction
from contracts.customers.customers import Company, Contact
from customers.rules import listed, staff
from customers.rules.names import company_key
from customers.rules.screening import Index
from customers.tables.customers import LIVING, Customer
from customers.tables.partners import Partner


@dataclass(frozen=True, slots=True, kw_only=True)
class Vicinity:
    """``staff_domains`` tell the partner's own people; ``email_taken`` is by anybody but the customer itself."""

    partner_name: str
    staff_domains: frozenset[str]
    email_taken: bool
    company_exists: bool
    denied: Index


async def around(tx: Transaction, customer: Customer, company: Company, contact: Contact) -> Vicinity:
    """What there is around a customer that is to have this company and this contact."""
    values = {
        "partner_id": tx.partner_id,
        "id": customer.id,
        "emails": [contact.email.lower()],
        "company_key": company_key(company.name),
        "country": company.country,
    }
    own = tx.principal is not None and tx.principal.kind == "customer"
    row = (await tx.session.execute(_OF_THE_CUSTOMER if own else _OF_THE_PARTNER, values)).one()
    return Vicinity(
        partner_name=row.partner_name or "",
        staff_domains=staff.telling(row.staff_domains),
        email_taken=bool(row.taken),
        company_exists=row.company_exists,
        denied=await listed.parties(tx, row.loads),
    )


def _look(*, partner: bool) -> Select[Any]:
    mine, this = bindparam("partner_id", type_=Uuid()), bindparam("id", type_=Uuid())
    name = select(Partner.name).where(Partner.partner_id == mine, Partner.id == mine)
    company = Customer.company_key == bindparam("company_key"), Customer.country == bindparam("country"), Customer.id != this
    return select(
        (name.scalar_subquery() if partner else null()).label("partner_name"),
        (staff.DOMAINS.scalar_subquery() if partner else null()).label("staff_domains"),
        func.door.taken_emails(bindparam("emails", type_=ARRAY(Text)), this, type_=ARRAY(Text)).label("taken"),
        exists().where(Customer.partner_id == mine, *company, text(LIVING)).label("company_exists"),
        listed.LOADS.scalar_subquery().label("loads"),
    )


_OF_THE_PARTNER: Final = _look(partner=True)
_OF_THE_CUSTOMER: Final = _look(partner=False)
