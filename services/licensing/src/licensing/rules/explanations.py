"""Explanations: what an amount was made of, so that whoever reads a line can make it again (BEY-06)."""

from datetime import date
from decimal import Decimal

from chassis.http.views import View


class ExplanationView(View, frozen=True, kw_only=True):
    """``amount = round(unit_price x quantity x numerator / denominator) + adjustment`` in minor units, by ``rounding_order``."""

    reason: str
    currency: str
    unit_price: Decimal
    quantity: Decimal
    numerator: int
    denominator: int
    convention: str
    rounding_order: str
    unrounded_amount: str
    adjustment: Decimal
    amount: Decimal
    period_from: date
    period_to: date
