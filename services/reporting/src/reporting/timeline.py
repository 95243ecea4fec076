"""The timeline of a customer: what happened to it and to what it has, in business time, newest first."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from chassis.consumers import Event, Step
from chassis.database import Read, Transaction
from chassis.http.lists import Listing, Paged, Sorts, Wanted
from chassis.http.views import View
from contracts.customers.customers import (
    CustomerCreated,
    CustomerReviewCleared,
    CustomerReviewOpened,
    CustomerReviewRejected,
    CustomerTagged,
)
from contracts.customers.offboarding import CustomerDeleted, CustomerDisabled, CustomerEnabled, CustomerMoved, CustomerUnlinked
from contracts.licensing.subscriptions import TrialConverted, TrialExpired, TrialStarted
from reporting.rules.whose import partner_of
from reporting.tables.timeline import Moment

FACTS: Final = (
    *(CustomerCreated, CustomerReviewOpened, CustomerReviewCleared, CustomerReviewRejected, CustomerTagged),
    *(CustomerDisabled, CustomerEnabled, CustomerUnlinked, CustomerMoved, CustomerDeleted),
    *(TrialStarted, TrialExpired, TrialConverted),
)


class MomentView(View, frozen=True):
    """Something that happened: ``topic`` says what, ``subject`` is the customer, subscription or other entity it happened to."""

    id: UUID
    at: datetime
    topic: str
    subject: UUID


_MOMENTS: Final = Paged(Moment, MomentView, Sorts({"at": ("at", datetime)}, default="-at", last=("id", UUID)), customer="customer_id")


async def page(read: Read, customer_id: UUID, wanted: Wanted) -> Listing[MomentView]:
    """One page of what happened to a customer."""
    return await _MOMENTS.page(read, wanted, customer_id=customer_id)


async def note(tx: Transaction, event: Event[Any]) -> None:
    """Remember that something happened; the inbox has seen to it that this is the first we hear of it.

    A move is told by both partners, and noted once.
    """
    said, record = event.envelope, event.record
    if isinstance(record, CustomerMoved) and record.to_partner_id != tx.partner_id:
        return
    about = {"customer_id": said.customer_id, "subject": said.subject, "topic": said.type, "at": said.effective_time}
    tx.session.add(Moment(partner_id=await partner_of(tx, said.customer_id), id=said.id, **about))


STEPS: Final = tuple(Step(name=f"timeline {fact.topic}", record=fact, handle=note) for fact in FACTS)
