"""What customers and licensing tell in these tests. Everything that a test does not name has a default."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from chassis.consumers import Event
from chassis.consumers.events import Place, Tombstone
from chassis.database import Transaction
from chassis.database.worker import Work
from chassis.ids import new_id
from chassis_testing import told
from chassis_testing.clock import FixedClock
from contracts.any.audit import AuditRecorded
from contracts.customers.customers import CustomerChanged, CustomerState
from contracts.licensing.provisioning import ProvisioningRejected
from contracts.licensing.subscriptions import SubscriptionChanged, SubscriptionState
from contracts.products.endpoints import EndpointReported
from contracts.records import Record
from reporting import customer_overview, subscription_overview
from reporting.consumers import OVERVIEWS
from reporting.tables.customer_homes import CustomerHome

NOW = FixedClock().now()
PLACE = Place(topic="in no topic", partition=0, offset=0)


def a_customer(partner_id: UUID, *, name: str = "Hafen GmbH", **said: Any) -> CustomerState:
    return told.a_customer(partner_id, company=told.a_company(name=name), **said)


def a_subscription(
    customer: CustomerState, *, kind: str = "trial", ends_in: timedelta = timedelta(days=60), **said: Any
) -> SubscriptionState:
    """A trial that ends in two months, or a paid subscription whose monthly term began now."""
    paid = kind == "paid"
    default: dict[str, Any] = {
        "id": new_id(),
        "partner_id": customer.partner_id,
        "customer_id": customer.id,
        "item": 1,
        "serial_number": "SN-1",
        "offer": "endpoint-cloud",
        "offer_version": 1,
        "product": "endpoint",
        "product_type": "endpoint_protection",
        "status": "active" if paid else "trial",
        "seats_bought": 50,
        "seats_used": 0,
        "zone": "Europe/Berlin",
        "started_at": NOW,
        "trial_ends_at": None if paid else NOW + ends_in,
        "term_start": NOW if paid else None,
        "term_end": NOW + timedelta(days=30) if paid else None,
        "auto_renew": paid,
        "currency": None,
        "unit_price": None,
    }
    return SubscriptionState(**default | said)


def an_endpoint(customer: CustomerState, **said: Any) -> EndpointReported:
    """A computer that wants nothing."""
    default: dict[str, Any] = {
        "customer_id": customer.id,
        "product": "endpoint",
        "endpoint_id": new_id(),
        "kind": "computer",
        "protection": "protected",
        "last_seen_at": NOW,
        "name": "PC-0117",
    }
    return EndpointReported(**default | said)


def reported(endpoint: EndpointReported, partner_id: UUID, version: int = 1) -> Event[EndpointReported]:
    """The report as its connector would tell it."""
    about = {"subject": endpoint.endpoint_id, "partner_id": partner_id, "customer_id": endpoint.customer_id}
    envelope = told.an_envelope(endpoint, version=version, at=datetime.now(UTC), source="/connectors/endpoint", **about)
    return Event(envelope=envelope, record=endpoint, place=PLACE)


def rejected(customer: CustomerState, *, offer: str = "endpoint-cloud", days_ago: int = 0) -> Event[ProvisioningRejected]:
    """Licensing did not give a product that was asked for."""
    why = {"code": "no_programme", "rule": "LIC-05", "policy_version": "1", "remedy": "Activate a programme."}
    record = ProvisioningRejected(item=1, offer=offer, **why)
    about = {"subject": new_id(), "partner_id": customer.partner_id, "customer_id": customer.id}
    at = NOW - timedelta(days=days_ago)
    return Event(envelope=told.an_envelope(record, version=1, at=at, **about), record=record, place=PLACE)


def event_of(state: CustomerState | SubscriptionState, version: int = 1) -> Event[Any]:
    """The state as its owner would tell it."""
    record: Record
    if isinstance(state, CustomerState):
        record, customer_id = CustomerChanged(facts=[], state=state), state.id
    else:
        record, customer_id = SubscriptionChanged(facts=[], state=state), state.customer_id
    whose = {"subject": state.id, "partner_id": state.partner_id, "customer_id": customer_id}
    envelope = told.an_envelope(record, version=version, at=datetime.now(UTC), effective_time=NOW, **whose)
    return Event(envelope=envelope, record=record, place=PLACE)


async def take(work: Work, events: Sequence[Event[Any]]) -> None:
    """Let reporting take a batch, as its consumer does."""
    for event in events:
        if isinstance(event.record, CustomerChanged):
            home = insert(CustomerHome).values(partner_id=event.envelope.partner_id, id=event.envelope.subject)
            await work.session.execute(home.on_conflict_do_nothing())
    for projection in OVERVIEWS:
        if followed := [event for event in events if isinstance(event.record, projection.record)]:
            await projection.apply(work, followed)


async def tell(tx: Transaction, *states: CustomerState | SubscriptionState, version: int = 1) -> None:
    """Tell reporting how these are now, within the partner's transaction."""
    await take(_work(tx), [event_of(state, version) for state in states])


async def report(tx: Transaction, *endpoints: EndpointReported, version: int = 1) -> None:
    """Report to reporting how these endpoints are now, within the partner's transaction."""
    await take(_work(tx), [reported(endpoint, tx.partner_id, version) for endpoint in endpoints])


async def refuse(tx: Transaction, *refusals: Event[ProvisioningRejected]) -> None:
    """Tell reporting what licensing did not give."""
    await take(_work(tx), refusals)


async def end(tx: Transaction, *states: CustomerState | SubscriptionState) -> None:
    """Tell reporting that nothing is kept of these."""
    for state in states:
        projection: Any = customer_overview.PROJECTION if isinstance(state, CustomerState) else subscription_overview.PROJECTION
        await projection.forget(_work(tx), [Tombstone(entity_id=state.id, place=PLACE)])


def _work(tx: Transaction) -> Work:
    return Work(tx.session, service="reporting", clock=FixedClock())


def an_audit_entry(partner_id: UUID, minutes: int = 0, *, customer_id: UUID | None = None, **said: Any) -> Event[AuditRecorded]:
    """Somebody has created a customer, so many minutes from now."""
    default: dict[str, Any] = {
        "at": NOW + timedelta(minutes=minutes),
        "user_id": new_id(),
        "user_kind": "partner",
        "user_partner_id": partner_id,
        "acting_as": None,
        "operation": "customers_create",
        "outcome": "done",
        "code": None,
        "subject_type": "customer",
        "subject_id": new_id(),
        "facts": ["customer.created"],
        "fields": ["name"],
        "request_id": "r-1",
    }
    record = AuditRecorded(**default | said)
    about = {"subject": new_id(), "partner_id": partner_id, "customer_id": customer_id}
    return Event(envelope=told.an_envelope(record, version=1, at=NOW, **about), record=record, place=PLACE)
