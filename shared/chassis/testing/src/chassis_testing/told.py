"""What customers tells, for the tests of those who follow it. Everything that a test does not name has a default."""

from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.ids import new_id
from chassis_testing.clock import FixedClock
from contracts.customers.customers import Company, Contact, CustomerState, FirstAdmin
from contracts.envelope import Envelope
from contracts.records import Record, schema_id


def a_company(**said: Any) -> Company:
    default: dict[str, Any] = {
        "name": "Hafen GmbH",
        "address_1": "Kai 1",
        "address_2": None,
        "address_3": None,
        "city": "Hamburg",
        "postal_code": "20457",
        "region": None,
        "country": "DE",
        "phone": None,
        "website": None,
    }
    return Company(**default | said)


def a_contact(**said: Any) -> Contact:
    default = {"name": "Ada Lovelace", "email": "ada@example.com", "phone": None, "language": "en", "time_zone": "Europe/Berlin"}
    return Contact(**default | said)


def a_customer(partner_id: UUID, **said: Any) -> CustomerState:
    """An active customer that its partner manages."""
    at = FixedClock().now()
    default: dict[str, Any] = {
        "id": new_id(),
        "partner_id": partner_id,
        "owner_partner_id": partner_id,
        "status": "active",
        "management_type": "partner_managed",
        "communications_mode": "both",
        "welcome_link_id": None,
        "company": a_company(),
        "domain": "example.com",
        "contact": a_contact(),
        "first_admin": FirstAdmin(user_id=new_id(), first_name="Ada", last_name="Lovelace", email="ada@example.com", temporary=False),
        "products": [],
        "review_reasons": [],
        "tags": [],
        "data_region": "default",
        "created_at": at,
        "updated_at": at,
    }
    return CustomerState(**default | said)


def an_envelope(record: Record, *, subject: UUID, partner_id: UUID, version: int, at: datetime, **said: Any) -> Envelope:
    """How a record about an entity comes. ``said`` are further members, such as ``customer_id``."""
    default: dict[str, Any] = {
        "id": new_id(),
        "type": record.topic,
        "source": "/elsewhere",
        "time": at,
        "effective_time": at,
        "subject": subject,
        "partner_id": partner_id,
        "customer_id": None,
        "aggregate_type": record.aggregate,
        "aggregate_version": version,
        "data_schema": schema_id(record.topic),
    }
    return Envelope(**default | said)
