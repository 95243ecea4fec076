"""Builders: whatever a test does not speak of has a sensible value."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis.database import Transaction, Work
from chassis.ids import new_id
from chassis.principal import Principal
from contracts.customers.customers import Company, Contact, ProductAsked
from customers import customers
from customers.rules.application import CreateCustomer
from customers.rules.founding import Founding, found
from customers.tables.customers import Customer
from customers.tables.known import KnownOffer, KnownProgramme, KnownSubscription, ScreeningList, ScreeningName
from customers.tables.partners import Partner
from customers.tables.policies import PolicyDocument
from customers.tables.users import User

TRIAL_OFFER = "endpoint-cloud"
TRIAL_SEATS = 50
EULA = "2026-01"
DENIED = "Krasnaya Zvezda Trading LLC"


def a_company(**changes: Any) -> Company:
    values: dict[str, Any] = {
        "name": "Müller & Söhne GmbH",
        "address_1": "Hafenstraße 1",
        "address_2": None,
        "address_3": None,
        "city": "Hamburg",
        "postal_code": "20457",
        "region": "HH",
        "country": "DE",
        "phone": "+4940123456",
        "website": "https://mueller.example",
    }
    return Company(**(values | changes))


def a_contact(**changes: Any) -> Contact:
    values: dict[str, Any] = {
        "name": "Ada Lovelace",
        "email": "ada@mueller.example",
        "phone": None,
        "language": "de",
        "time_zone": "Europe/Berlin",
    }
    return Contact(**(values | changes))


def a_product(**changes: Any) -> ProductAsked:
    values: dict[str, Any] = {"item": 1, "offer": TRIAL_OFFER, "kind": "trial", "quantity": 10, "answers": {}}
    return ProductAsked(**(values | changes))


def an_application(**changes: Any) -> CreateCustomer:
    """A sound application for one trial."""
    whole = CreateCustomer(
        management_type="co_managed",
        company=a_company(),
        contact=a_contact(),
        domain="mueller.example",
        products=(a_product(),),
        eula_version=EULA,
    )
    return replace(whole, **changes)


def for_company(name: str, domain: str, **changes: Any) -> CreateCustomer:
    """An application of a company that is like no other."""
    return an_application(company=a_company(name=name), contact=a_contact(email=f"ada@{domain}"), domain=domain, **changes)


async def a_partner(tx: Transaction, *, name: str = "Hafen IT", email: str | None = None) -> Partner:
    """The partner whose transaction it is, with its roles and, with an address, its administrator: the principal."""
    partner, roles = await found(tx, Founding(name=name, country="DE", time_zone="Europe/Berlin"))
    if email is not None:
        await a_user(tx, email=email, role_ids=[roles.partner_administrator.id])
    tx.told.clear()
    return partner


async def a_user(tx: Transaction, *, email: str, role_ids: list[UUID] | None = None) -> User:
    user = User(
        partner_id=tx.partner_id,
        id=tx.principal.user_id if tx.principal else tx.new_id(),
        kind="partner",
        status="active",
        gen=1,
        name="Grace Hopper",
        email=email,
        language="en",
        role_ids=role_ids or [],
        created_at=tx.now,
        updated_at=tx.now,
    )
    tx.session.add(user)
    await tx.session.flush()
    return user


async def an_active_programme(tx: Transaction, *, capabilities: tuple[str, ...] = ("set_up_paid", "set_up_trial")) -> None:
    tx.session.add(KnownProgramme(partner_id=tx.partner_id, id=tx.new_id(), version=1, status="active", capabilities=[*capabilities]))
    await tx.session.flush()


async def a_customer(tx: Transaction, **changes: Any) -> Customer:
    """A customer as it comes into being, with what that told forgotten. In a worker's transaction somebody of the partner asks."""
    if tx.principal is None:
        somebody = Principal(kind="partner", user_id=tx.new_id(), partner_id=tx.partner_id, gen=1)
        async with tx.part(principal=somebody) as asked:
            customer = await customers.create(asked, an_application(**changes))
    else:
        customer = await customers.create(tx, an_application(**changes))
    tx.told.clear()
    return customer


async def a_subscription(tx: Transaction, customer: Customer, *, offer: str = TRIAL_OFFER, status: str = "trial") -> None:
    """Something that the customer has, as licensing has told it."""
    what = {"product": "endpoint", "offer": offer, "status": status, "partner_owned": False}
    tx.session.add(KnownSubscription(partner_id=customer.partner_id, id=tx.new_id(), version=1, customer_id=customer.id, **what))
    await tx.session.flush()


async def as_published(tx: Transaction, kind: str, document: dict[str, Any]) -> None:
    """The second version of a policy, as the operator may have published it."""
    await tx.session.execute(text("select set_config('role', 'customers_operator', true)"))
    tx.session.add(PolicyDocument(kind=kind, version=2, document=document, published_at=tx.now))
    await tx.session.flush()
    await tx.session.execute(text("select set_config('role', 'customers_partner', true)"))


async def the_known_world(work: Work) -> None:
    """What the installation shares: offers (two of one product, withdrawn, only to try or to buy, without a cap), one denied party."""
    first = {"version": 1, "trial": True, "trial_seat_cap": TRIAL_SEATS, "trials_per_product": 1, "paid": True}
    endpoint = first | {"product": "endpoint"}
    work.session.add_all(
        [
            KnownOffer(id=new_id(), code=TRIAL_OFFER, status="on_sale", **endpoint),
            KnownOffer(id=new_id(), code="endpoint-classic", status="withdrawn", **first),
            KnownOffer(id=new_id(), code="endpoint-preview", status="on_sale", **endpoint | {"paid": False}),
            KnownOffer(id=new_id(), code="endpoint-archive", status="on_sale", **first | {"trial": False}),
            KnownOffer(id=new_id(), code="endpoint-as-ordered", status="on_sale", **first | {"trial_seat_cap": None}),
            ScreeningName(id=new_id(), list_name="UN", reference="RUe.1", name=DENIED, country="RU"),
            ScreeningList(list_name="UN", load_id=new_id(), names=1, loaded_at=datetime.now(UTC)),
        ]
    )
