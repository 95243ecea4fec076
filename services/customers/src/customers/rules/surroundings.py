"""Surroundings: what is known around an application before it is examined, read in two statements."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, String, cast, exists, func, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY, array

from chassis.database import Transaction
from customers.rules.application import CreateCustomer
from customers.rules.identity import Admin, IdentityPolicy
from customers.rules.names import company_key
from customers.rules.screening import DeniedParty, Index
from customers.tables.customers import LIVING, Customer
from customers.tables.known import KnownOffer, KnownProgramme, Policy, ScreeningList, ScreeningName
from customers.tables.partners import Partner
from customers.tables.users import User


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """``staff_domains`` are those of the partner's own users; ``taken`` are login addresses in lower case."""

    partner_name: str
    staff_domains: frozenset[str]
    taken: frozenset[str]
    company_exists: bool
    programme_active: bool
    offers: dict[str, KnownOffer]
    identity: IdentityPolicy
    regions: frozenset[str]
    denied: Index


async def around(tx: Transaction, command: CreateCustomer, admin: Admin) -> Surroundings:
    """What the partner's own rows, the doors, the lists and the policies say about an application."""
    row = await _look(tx, command, {email.lower() for email in (command.contact.email, admin.email) if email})
    return Surroundings(
        partner_name=row.partner_name or "",
        staff_domains=frozenset(row.staff_domains or ()),
        taken=frozenset(row.taken),
        company_exists=row.company_exists,
        programme_active=row.programme_active,
        offers=await _offers(tx, {product.offer for product in command.products}),
        identity=IdentityPolicy(version=str(row.identity_version), **row.identity),
        regions=frozenset(row.residency["regions"]),
        denied=await _denied_parties(tx, row.loads),
    )


async def _look(tx: Transaction, command: CreateCustomer, emails: Collection[str]) -> Row[Any]:
    mine = tx.partner_id
    known = Customer.company_key == company_key(command.company.name), Customer.country == command.company.country
    same = exists().where(Customer.partner_id == mine, *known, text(LIVING))
    active = exists().where(KnownProgramme.partner_id == mine, KnownProgramme.status == "active")
    domain = func.lower(func.split_part(User.email, "@", 2))
    staff = select(func.array_agg(domain.distinct())).where(User.partner_id == mine, User.kind != "customer", User.email.is_not(None))
    loads = select(func.string_agg(cast(ScreeningList.load_id, String), literal(" ")))
    wanted = cast(array([literal(email) for email in sorted(emails)]), ARRAY(String))
    statement = select(
        select(Partner.name).where(Partner.partner_id == mine, Partner.id == mine).scalar_subquery().label("partner_name"),
        staff.scalar_subquery().label("staff_domains"),
        func.door.taken_emails(wanted, type_=ARRAY(String)).label("taken"),
        same.label("company_exists"),
        active.label("programme_active"),
        _newest("identity", Policy.document).label("identity"),
        _newest("identity", Policy.version).label("identity_version"),
        _newest("residency", Policy.document).label("residency"),
        loads.scalar_subquery().label("loads"),
    )
    return (await tx.session.execute(statement)).one()


def _newest(kind: str, column: Any) -> Any:
    return select(column).where(Policy.kind == kind).order_by(Policy.version.desc()).limit(1).scalar_subquery()


async def _offers(tx: Transaction, codes: Collection[str]) -> dict[str, KnownOffer]:
    newest = select(KnownOffer).where(KnownOffer.code.in_(codes)).order_by(KnownOffer.version)
    return {offer.code: offer for offer in await tx.session.scalars(newest)}


_index: Final[dict[str, Index]] = {}
"""The index of the lists as loaded; one at a time, kept until a list is loaded anew."""


async def _denied_parties(tx: Transaction, loads: str | None) -> Index:
    name = loads or ""
    found = _index.get(name)
    if found is None:
        columns = (ScreeningName.list_name, ScreeningName.reference, ScreeningName.name, ScreeningName.country)
        rows = await tx.session.execute(select(*columns)) if loads else ()
        found = Index(DeniedParty(*row) for row in rows)
        _index.clear()
        _index[name] = found
    return found
