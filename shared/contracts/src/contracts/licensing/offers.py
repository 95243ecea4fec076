"""Offers: what can be given or sold, under which policies and at which price."""

from decimal import Decimal
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.records import Fact, Part, State


class TrialExtension(Part):
    """How often a trial may be prolonged: ``by_role`` for users of a role, ``max`` for everybody else."""

    max: int = 0
    by_role: dict[str, int] = Field(default_factory=dict)


class TrialPolicy(Part):
    """How a trial of the offer runs (C-1). It is copied into the subscription at start.

    ``duration`` is an ISO 8601 period of whole days (``P60D``); ``seat_cap`` null means as ordered;
    what is used during the trial is rated only where ``usage_billable`` says so.
    """

    duration: str
    seat_cap: int | None
    end_behavior: Literal["expire", "convert", "pause"]
    convert_requires: list[str]
    max_per_customer_product: int
    notify_before: list[str]
    clock: Literal["local_days", "instant"]
    extension: TrialExtension = TrialExtension()
    usage_billable: bool = False


class Price(Part):
    """Unit price for one whole period, before rounding."""

    currency: str
    unit_price: Decimal
    period: Literal["month", "quarter", "year"]
    charge: Literal["in_advance", "in_arrears"]


class OfferState(Part):
    """One offer as it is sold now. ``code`` is what orders name; ``offer_version`` rises with every publication."""

    id: UUID
    code: str
    offer_version: int
    product: str
    product_type: str
    name: str
    status: Literal["on_sale", "withdrawn"]
    trial: TrialPolicy | None
    price: Price | None
    auto_renew_default: bool


class OfferPublished(Fact):
    topic: ClassVar[str] = "offer.published"
    aggregate: ClassVar[str] = "offer"
    code: str
    offer_version: int


class OfferChanged(State[OfferState]):
    topic: ClassVar[str] = "offer.changed"
    aggregate: ClassVar[str] = "offer"
