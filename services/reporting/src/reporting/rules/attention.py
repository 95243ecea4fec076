"""Which customers need immediate attention, and why (CUS-30), as far as customers and licensing tell.

The reasons of one customer and the condition that finds all such customers say the same; the
property test over filters holds them together.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, bindparam, or_

from chassis.http.views import View
from reporting.rules.product_use import ProductView

type Reason = Literal["pending_review", "trial_ends_soon", "trial_expired", "seats_all_used"]

SOON: Final = timedelta(days=7)
"""A trial that ends within this time is to be looked after."""


class AttentionView(View, frozen=True):
    """One reason, and the subscription it is about, if any. ``at`` is when the trial ends or ended."""

    reason: Reason
    subscription_id: UUID | None = None
    product: str | None = None
    at: datetime | None = None


def reasons(*, status: str, owned: Sequence[ProductView], expired_trials: Sequence[ProductView], now: datetime) -> list[AttentionView]:
    """Why a customer needs attention at ``now``; empty when it does not."""
    return [
        *([AttentionView("pending_review")] if status == "pending_review" else []),
        *(AttentionView("trial_expired", one.subscription_id, one.product, one.trial_ends_at) for one in expired_trials),
        *(reason for product in owned for reason in _of(product, now)),
    ]


def needed(relation: FromClause) -> ColumnElement[bool]:
    """The condition that a row of ``customer_overview`` needs attention; its parameter ``soon`` is now + ``SOON``."""
    return or_(relation.c.unsettled, relation.c.next_trial_end <= bindparam("soon", type_=relation.c.next_trial_end.type))


def _of(product: ProductView, now: datetime) -> Iterator[AttentionView]:
    if product.kind == "trial" and product.trial_ends_at is not None and product.trial_ends_at <= now + SOON:
        yield AttentionView("trial_ends_soon", product.subscription_id, product.product, product.trial_ends_at)
    if 0 < product.capacity <= product.used:
        yield AttentionView("seats_all_used", product.subscription_id, product.product)
