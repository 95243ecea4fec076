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
from customers.rules import listed
from customers.rules.domains import FREE_MAIL
from customers.rules.names import company_key
from customers.rules.screening import Index
from customers.tables.customers import LIVING, Customer
from customers.tables.partners import Partner
from customers.tables.users import User


@dataclass(frozen=True, slots=True, kw_only=True)
class Vicinity:
    """``staff_domains`` tell the partner's own people; ``email_taken`` is by anybody but the customer's own users."""

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
        staff_domains=frozenset(row.staff_domains or ()) - FREE_MAIL,
        email_taken=bool(set(row.taken) - set(row.own or ())),
        company_exists=row.company_exists,
        denied=await listed.parties(tx, row.loads),
    )


def _look(*, staff: bool) -> Select[Any]:
    mine, this = bindparam("partner_id", type_=Uuid()), bindparam("id", type_=Uuid())
    domain = func.lower(func.split_part(User.email, "@", 2))
    staffs = select(func.array_agg(domain.distinct())).where(User.partner_id == mine, User.kind != "customer", User.email.is_not(None))
    name = select(Partner.name).where(Partner.partner_id == mine, Partner.id == mine)
    own = select(func.array_agg(func.lower(User.email))).where(User.partner_id == mine, User.customer_id == this, User.email.is_not(None))
    company = Customer.company_key == bindparam("company_key"), Customer.country == bindparam("country"), Customer.id != this
    return select(
        (name.scalar_subquery() if staff else null()).label("partner_name"),
        (staffs.scalar_subquery() if staff else null()).label("staff_domains"),
        own.scalar_subquery().label("own"),
        func.door.taken_emails(bindparam("emails", type_=ARRAY(Text)), type_=ARRAY(Text)).label("taken"),
        exists().where(Customer.partner_id == mine, *company, text(LIVING)).label("company_exists"),
        listed.LOADS.scalar_subquery().label("loads"),
    )


_OF_THE_PARTNER: Final = _look(staff=True)
_OF_THE_CUSTOMER: Final = _look(staff=False)
