"""Rated lines: immutable, and explained well enough to be recomputed (BEY-06)."""

from datetime import date
from decimal import Decimal
from typing import ClassVar, Literal
from uuid import UUID

from contracts.licensing.subscriptions import SubscriptionFact


class BillingLineRated(SubscriptionFact):
    """One line of a coming statement.

    ``amount = round(unit_price x quantity x numerator / denominator) + adjustment`` in ``currency``, rounded
    once to its minor unit; the period is half-open ``[period_from, period_to)`` of local dates, of which the
    fraction is the part charged. ``adjustment`` is what a line takes over so that lines add up: a remainder or a limit.
    """

    topic: ClassVar[str] = "billing.line_rated"
    line_id: UUID
    reason: str
    product: str
    offer: str
    offer_version: int
    currency: str
    unit_price: Decimal
    quantity: Decimal
    numerator: int
    denominator: int
    convention: Literal["day_actual", "day_inclusive", "day_30", "second"]
    rounding_order: Literal["multiply_then_round", "unit_then_quantity", "day_rate_then_days"]
    unrounded_amount: str
    adjustment: Decimal = Decimal(0)
    amount: Decimal
    period_from: date
    period_to: date
    policy_versions: dict[str, str]
    corrects: UUID | None
