"""Rated lines as their partner reads them: immutable, each explains its own amount (BEY-06)."""

from datetime import datetime
from typing import Final
from uuid import UUID

from chassis.database import Read
from chassis.http.lists import Listing, Paged, Sorts, Wanted
from chassis.http.views import Stored
from licensing.rules.explanations import ExplanationView
from licensing.tables.lines import BillingLine


class LineView(ExplanationView, frozen=True, kw_only=True):
    """A rated line: ``amount = round(unit_price x quantity x numerator / denominator) + adjustment``, by ``rounding_order``."""

    id: UUID
    customer_id: UUID
    subscription_id: UUID
    product: str
    offer: str
    offer_version: int
    policy_versions: Stored[dict[str, str]]
    corrects: UUID | None
    rated_at: datetime


_SORTS: Final = Sorts({"rated_at": ("rated_at", datetime)}, default="-rated_at", last=("id", UUID))
_LINES: Final = Paged(BillingLine, LineView, _SORTS, customer="customer_id")


async def page(read: Read, wanted: Wanted, *, customer_id: UUID | None = None, subscription_id: UUID | None = None) -> Listing[LineView]:
    """Newest first, unless asked otherwise."""
    return await _LINES.page(read, wanted, customer_id=customer_id, subscription_id=subscription_id)
