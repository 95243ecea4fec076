"""Builders for tests about licensing: everything that a test does not care for has a default."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert

from chassis.consumers.events import Event, Place
from chassis.database import Transaction
from chassis.due import DueItem, DueRow
from chassis.ids import new_id
from chassis_testing import told
from contracts.customers.customers import CustomerChanged, CustomerStatus, ProductAsked
from contracts.products.deployments import ProductDeploymentAcknowledged
from contracts.products.endpoints import EndpointReported
from licensing import programmes
from licensing.product_settings import templates
from licensing.product_settings.templates import CreateTemplate
from licensing.programmes import ActivateProgramme, ValidateSerial
from licensing.rules import beginnings
from licensing.rules.beginnings import Recipient
from licensing.rules.capabilities import CapabilityMatrix, Cell
from licensing.rules.orders import Accepted
from licensing.rules.regranting import REGRANT
from licensing.tables.customers import served_customers
from licensing.tables.firmware import FirmwareUpdate
from licensing.tables.offers import Offer
from licensing.tables.policies import PolicyDocument
from licensing.tables.product_settings import PolicyDeployment, Template
from licensing.tables.products import Product
from licensing.tables.programmes import Programme
from licensing.tables.serials import Serial
from licensing.tables.subscriptions import Subscription

_SHARED_ROLE = text("select set_config('role', :role, true)")
_ROLE = text("select current_setting('role')")

SYMANTEC: dict[str, Any] = {
    "duration": "P60D",
    "seat_cap": 50,
    "end_behavior": "expire",
    "convert_requires": [],
    "max_per_customer_product": 1,
    "notify_before": ["P30D", "P7D", "P1D"],
    "clock": "local_days",
    "extension": {"max": 0, "by_role": {}},
    "usage_billable": False,
}
"""The trial of LIC-01."""
MONTHLY: dict[str, Any] = {"currency": "EUR", "unit_price": "4.50", "period": "month", "charge": "in_advance"}


@asynccontextmanager
async def as_operator(tx: Transaction) -> AsyncIterator[None]:
    """Let a partner's transaction write shared tables for a while; a worker's may anyway."""
    role = (await tx.session.execute(_ROLE)).scalar_one()
    if role == "none":
        yield
        return
    await tx.session.flush()
    await tx.session.execute(_SHARED_ROLE, {"role": role.replace("_partner", "_operator")})
    yield
    await tx.session.flush()
    await tx.session.execute(_SHARED_ROLE, {"role": role})


async def an_offer(
    tx: Transaction,
    *,
    code: str | None = None,
    trial: dict[str, Any] | None = SYMANTEC,
    price: dict[str, Any] | None = MONTHLY,
    **given: Any,
) -> Offer:
    """An offer on sale, by default the trial of LIC-01 with a monthly price in advance."""
    code = code or f"offer-{new_id().hex}"
    offer = Offer(
        id=new_id(),
        code=code,
        offer_version=given.pop("offer_version", 1),
        product=given.pop("product", code),
        product_type=given.pop("product_type", "endpoint_protection"),
        name=given.pop("name", code),
        status=given.pop("status", "on_sale"),
        trial=trial,
        price=price,
        auto_renew_default=True,
        **given,
    )
    async with as_operator(tx):
        tx.session.add(offer)
    return offer


async def a_serial(tx: Transaction, *, kind: str = "service_provider", product: str | None = None) -> str:
    """The code of a serial number that an operator loaded."""
    code = f"SN-{new_id().hex.upper()}"
    async with as_operator(tx):
        tx.session.add(Serial(code=code, kind=kind, product=product, loaded_at=tx.now))
    return code


async def a_programme(tx: Transaction) -> Programme:
    """The partner's programme, validated and activated."""
    programme = await programmes.validate(tx, ValidateSerial(serial_number=await a_serial(tx)))
    return await programmes.activate(tx, ActivateProgramme(programme_id=programme.id))


async def regranted(tx: Transaction) -> None:
    """The partner's planned regranting has been done."""
    planned = select(DueRow).where(DueRow.partner_id == tx.partner_id, DueRow.kind == REGRANT.kind)
    for row in (await tx.session.scalars(planned)).all():
        item = DueItem(id=row.id, subject=row.subject, slot=row.slot, due_at=row.due_at, attempts=0, payload=row.payload)
        await REGRANT.handle(tx, item)


async def a_matrix(tx: Transaction, *, convert_trial: Cell = "yes", set_up_paid: Cell = "no", monitor: Cell = "yes") -> None:
    """Publish a capability matrix that says this of partners without a programme."""
    rows: dict[str, Cell] = {
        "set_up_trial": "yes",
        "set_up_paid": set_up_paid,
        "monitor": monitor,
        "convert_trial": convert_trial,
        "manage": "yes",
    }
    actions = {action: {"none": cell, "service_provider": "yes", "rule": "C-7"} for action, cell in rows.items()}
    async with as_operator(tx):
        tx.session.add(PolicyDocument(kind=CapabilityMatrix.kind, version=2, document={"actions": actions}, published_at=tx.now))


async def a_customer(tx: Transaction, *, status: CustomerStatus = "active", customer_id: UUID | None = None, **given: Any) -> UUID:
    """A customer on the licensing platform that licensing knows."""
    known = {
        "partner_id": tx.partner_id,
        "id": customer_id or new_id(),
        "version": 1,
        "status": status,
        "management_type": "co_managed",
        "time_zone": "Europe/Berlin",
        "data_region": "default",
        "account_type": "licensing_platform",
        **given,
    }
    await tx.session.execute(insert(served_customers).values(known))
    return UUID(str(known["id"]))


async def a_product(tx: Transaction, code: str = "worry-free", **given: Any) -> Product:
    """A product that can be set by templates and policies, and whose appliances have firmware, unless said otherwise."""
    said: dict[str, Any] = {"name": "Worry-Free", "templates": True, "policies": True, "firmware": True, "defaults": {}}
    product = Product(code=code, **said | given)
    async with as_operator(tx):
        tx.session.add(product)
    return product


async def a_template(tx: Transaction, *, product: str = "worry-free", **given: Any) -> Template:
    """A template of the partner's; what its making was audited by is of no concern."""
    said: dict[str, Any] = {"name": f"Template {new_id().hex}", "settings": {"scan": "weekly"}, "is_default": False}
    return await templates.create(tx, CreateTemplate(product=product, **said | given))


async def a_holder(tx: Transaction, *, product: str = "worry-free", **given: Any) -> UUID:
    """A customer that has a trial of a product, which is given to it as the partner gives it to all."""
    customer_id = await a_customer(tx, **given)
    await a_trial(tx, offer=await an_offer(tx, product=product), customer_id=customer_id)
    return customer_id


async def a_trial(tx: Transaction, *, offer: Offer | None = None, customer_id: UUID | None = None, seats: int = 10) -> Subscription:
    """A running trial of an active customer in Berlin; what its start told is forgotten."""
    accepted = Accepted(offer=offer or await an_offer(tx), quantity=seats, serial_number=None)
    customer_id = customer_id or await a_customer(tx)
    recipient = Recipient(customer_id=customer_id, zone=ZoneInfo("Europe/Berlin"), data_region="default")
    told = len(tx.told)
    subscription = await beginnings.start_trial(tx, new_id(), accepted, recipient)
    del tx.told[told:]
    return subscription


@dataclass(slots=True, kw_only=True)
class CustomerTold:
    """What customers tells of one customer, version after version."""

    partner_id: UUID
    products: Sequence[ProductAsked] = ()
    id: UUID = field(default_factory=new_id)
    time_zone: str = "Europe/Berlin"
    version: int = 0
    products_settled: bool = False
    moving_to: UUID | None = None

    def now(self, status: CustomerStatus, at: datetime) -> Event[CustomerChanged]:
        """The next state; every one is a new event."""
        self.version += 1
        state = told.a_customer(
            self.partner_id,
            id=self.id,
            status=status,
            contact=told.a_contact(time_zone=self.time_zone),
            products=list(self.products),
            products_settled=self.products_settled,
            moving_to=self.moving_to,
            created_at=at,
            updated_at=at,
        )
        record = CustomerChanged(facts=[], state=state)
        whose = {"subject": self.id, "partner_id": self.partner_id, "customer_id": self.id}
        envelope = told.an_envelope(record, version=self.version, at=at, **whose)
        return Event(envelope=envelope, record=record, place=Place(topic=record.topic, partition=0, offset=self.version))


def asked(item: int, offer: str, *, kind: Literal["trial", "paid"] = "trial", quantity: int | None = 10, **answers: Any) -> ProductAsked:
    """One product asked for at creation."""
    return ProductAsked(item=item, offer=offer, kind=kind, quantity=quantity, answers=answers)


@dataclass(slots=True, kw_only=True)
class ApplianceTold:
    """What a product's connector reports of one appliance, version after version."""

    partner_id: UUID
    customer_id: UUID
    product: str = "cloud-edge"
    id: UUID = field(default_factory=new_id)
    version: int = 0

    def now(self, at: datetime, **said: Any) -> Event[EndpointReported]:
        """The next report: up to date, unless said otherwise."""
        self.version += 1
        default: dict[str, Any] = {"kind": "appliance", "protection": "protected", "last_seen_at": at}
        about: dict[str, Any] = {"endpoint_id": self.id, "customer_id": self.customer_id, "product": self.product}
        record = EndpointReported(**about | default | said)
        whose = {"subject": self.id, "partner_id": self.partner_id, "customer_id": self.customer_id}
        envelope = told.an_envelope(record, version=self.version, at=at, **whose)
        return Event(envelope=envelope, record=record, place=Place(topic=record.topic, partition=0, offset=self.version))


def acknowledged(
    deployment: PolicyDeployment | FirmwareUpdate, at: datetime, *, partner_id: UUID | None = None, **said: Any
) -> Event[ProductDeploymentAcknowledged]:
    """What a product answers to what was asked of it: that it has applied it, unless said otherwise."""
    about: dict[str, Any] = {"deployment_id": deployment.id, "customer_id": deployment.customer_id, "product": deployment.product}
    record = ProductDeploymentAcknowledged(**about | {"outcome": "applied"} | said)
    whose = {"subject": deployment.id, "partner_id": partner_id or deployment.partner_id, "customer_id": deployment.customer_id}
    envelope = told.an_envelope(record, version=1, at=at, **whose)
    return Event(envelope=envelope, record=record, place=Place(topic=record.topic, partition=0, offset=1))
