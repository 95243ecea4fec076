"""Subscriptions: what a customer may use, from its trial to its end."""

from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Final, Literal
from uuid import UUID

from contracts.records import Fact, Part, State

type SubscriptionStatus = Literal["trial", "paused", "active", "suspended", "cancelling", "cancelled", "expired", "terminated"]

STANDING: Final = frozenset({"trial", "paused", "active", "suspended", "cancelling"})
"""The statuses of a subscription that is not over."""


class SubscriptionState(Part):
    """A subscription as it is now. ``item`` is the product asked for at creation that it answers, if any.

    ``partner_owned`` is one that is paid under the partner's own programme: without that partner it ends.
    Terms are half-open ``[term_start, term_end)`` instants that begin at local midnight in ``zone``.
    """

    id: UUID
    partner_id: UUID
    customer_id: UUID
    item: int | None
    serial_number: str
    offer: str
    offer_version: int
    product: str
    product_type: str
    status: SubscriptionStatus
    seats_bought: int
    seats_used: int
    zone: str
    started_at: datetime
    trial_ends_at: datetime | None
    term_start: datetime | None
    term_end: datetime | None
    auto_renew: bool
    currency: str | None
    unit_price: Decimal | None
    partner_owned: bool = False


class SubscriptionFact(Fact):
    aggregate: ClassVar[str] = "subscription"


class TrialStarted(SubscriptionFact):
    topic: ClassVar[str] = "trial.started"
    offer: str
    offer_version: int
    seats: int
    ends_at: datetime


class TrialEnding(SubscriptionFact):
    """The end is near, as the pinned policy's ``notify_before`` says."""

    topic: ClassVar[str] = "trial.ending"
    ends_at: datetime
    notice: str


class TrialExpired(SubscriptionFact):
    topic: ClassVar[str] = "trial.expired"
    ended_at: datetime


class TrialPaused(SubscriptionFact):
    """The trial's time is over and its policy keeps it, unused, for a later conversion."""

    topic: ClassVar[str] = "trial.paused"
    paused_at: datetime


class TrialConverted(SubscriptionFact):
    """A trial became a paid subscription under the same id (LIC-11)."""

    topic: ClassVar[str] = "trial.converted"
    offer: str
    offer_version: int
    seats: int
    term_start: datetime
    term_end: datetime


class SubscriptionActivated(SubscriptionFact):
    """A paid term began."""

    topic: ClassVar[str] = "subscription.activated"
    offer: str
    offer_version: int
    seats: int
    term_start: datetime
    term_end: datetime
    auto_renew: bool


class SubscriptionCancelScheduled(SubscriptionFact):
    """It goes on until ``ends_at`` and no longer."""

    topic: ClassVar[str] = "subscription.cancel_scheduled"
    ends_at: datetime
    reason: str


class SubscriptionCancelled(SubscriptionFact):
    """Its use is over."""

    topic: ClassVar[str] = "subscription.cancelled"
    cancelled_at: datetime
    reason: str


class SubscriptionChanged(State[SubscriptionState]):
    topic: ClassVar[str] = "subscription.changed"
    aggregate: ClassVar[str] = "subscription"
