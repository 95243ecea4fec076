"""What other services tell customers."""

from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.consumers import Event
from chassis.consumers.events import Place
from chassis_testing.told import an_envelope
from contracts.records import Record

HERE = Place(topic="elsewhere", partition=0, offset=0)


def delivered(record: Record, *, partner_id: UUID, customer_id: UUID, version: int, at: datetime) -> Event[Any]:
    """A record about a customer, as it comes."""
    said = an_envelope(record, subject=customer_id, partner_id=partner_id, customer_id=customer_id, version=version, at=at)
    return Event(envelope=said, record=record, place=HERE)
