"""Which customers need immediate attention, and why (CUS-30): for threat, system or licensing events, by the attention policy.

The one place that says so. The reasons of one customer and the condition that finds all such
customers say the same; the property test over filters holds them together.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import BigInteger, Boolean, ColumnElement, DateTime, FromClause, and_, bindparam, literal_column, or_
from sqlalchemy.dialects.postgresql import JSONB

from chassis.http.views import Keyed, View
from reporting.rules.attention_policy import COUNTED, AttentionPolicy, Concern, Reason, Severity, concern_of
from reporting.rules.product_use import ProductView, products

_NEVER: Final = 2**62
_BEFORE_ALL: Final = datetime(1, 1, 1, tzinfo=UTC)
_AFTER_ALL: Final = datetime(9999, 1, 1, tzinfo=UTC)
_NOTHING: Final = literal_column("'[]'::jsonb", JSONB)
_FLAGS: Final[tuple[Reason, ...]] = ("pending_review", "trial_expired", "subscription_expired", "seats_all_used", "seats_exceeded")

COLUMNS: Final = (*COUNTED.values(), "expired_trials", "expired_paid", "rejections")
"""The columns of ``customer_overview``, beside those that are shown, of which the reasons are made."""


class AttentionView(View, frozen=True, kw_only=True):
    """One reason, and the subscription or offer it is about, if any.

    `count` is how many endpoints have it, `at` when the trial or term ends or ended, or when the product was refused.
    """

    reason: Reason
    concern: Concern
    severity: Severity
    subscription_id: UUID | None = None
    product: str | None = None
    offer: str | None = None
    count: int | None = None
    at: datetime | None = None


class AlertsView(View, frozen=True):
    """How many reasons of which severity there are (CUS-34)."""

    critical: int
    warning: int


class _Rejection(msgspec.Struct, frozen=True):
    offer: str
    at: datetime


_REJECTIONS: Final = msgspec.json.Decoder(list[_Rejection])


def reasons(row: Keyed, owned: Sequence[ProductView], policy: AttentionPolicy, now: datetime) -> list[AttentionView]:
    """Why a customer needs attention at ``now``, the critical first; empty when it does not."""
    found = [_weighed(policy, reason, said) for reason, said in _all(row, owned, policy, now) if reason in policy.reasons]
    counted = [one for one in found if one.count is None or one.count >= policy.reasons[one.reason].at_least]
    return sorted(counted, key=lambda one: one.severity)


def alerts(why: Sequence[AttentionView]) -> AlertsView:
    critical = sum(one.severity == "critical" for one in why)
    return AlertsView(critical, len(why) - critical)


def needed(relation: FromClause, named: str = "attention") -> ColumnElement[bool]:
    """The condition that a row of ``customer_overview`` needs attention; its parameters are those of the same name.

    ``unsettled`` rows and those of trials that end are found by their indexes; which of them weigh enough is looked at then.
    """
    soon = relation.c.next_trial_end <= bindparam(f"{named}_trial_ends_soon", type_=DateTime(timezone=True))
    counted = [relation.c[column] >= bindparam(f"{named}_{reason}", type_=BigInteger) for reason, column in COUNTED.items()]
    flags = {
        "pending_review": relation.c.status == "pending_review",
        "trial_expired": relation.c.expired_trials != _NOTHING,
        "subscription_expired": relation.c.expired_paid != _NOTHING,
        "seats_all_used": relation.c.seats_all_used,
        "seats_exceeded": relation.c.seats_exceeded,
    }
    flagged = [and_(bindparam(f"{named}_{reason}", type_=Boolean), flags[reason]) for reason in _FLAGS]
    rejected = relation.c.last_rejected_at > bindparam(f"{named}_provisioning_rejected", type_=DateTime(timezone=True))
    return and_(or_(relation.c.unsettled, soon), or_(soon, rejected, *counted, *flagged))


def parameters(policy: AttentionPolicy, now: datetime, *, least: Severity = "warning", named: str = "attention") -> dict[str, Any]:
    """The values for ``needed``, for reasons that weigh so much or more."""
    wanted = policy.weighing(least)
    return {
        **{f"{named}_{reason}": wanted[reason].at_least if reason in wanted else _NEVER for reason in COUNTED},
        **{f"{named}_{reason}": reason in wanted for reason in _FLAGS},
        f"{named}_trial_ends_soon": now + policy.trial_ends_within if "trial_ends_soon" in wanted else _BEFORE_ALL,
        f"{named}_provisioning_rejected": now - policy.rejections_count_for if "provisioning_rejected" in wanted else _AFTER_ALL,
    }


def _weighed(policy: AttentionPolicy, reason: Reason, said: dict[str, Any]) -> AttentionView:
    return AttentionView(reason=reason, concern=concern_of(reason), severity=policy.reasons[reason].severity, **said)


def _all(row: Keyed, owned: Sequence[ProductView], policy: AttentionPolicy, now: datetime) -> Iterator[tuple[Reason, dict[str, Any]]]:
    yield from ((reason, {"count": row[column]}) for reason, column in COUNTED.items() if row[column])
    if row["status"] == "pending_review":
        yield "pending_review", {}
    yield from (("trial_expired", _about(one, one.trial_ends_at)) for one in products(row["expired_trials"]))
    yield from (("subscription_expired", _about(one, one.term_end)) for one in products(row["expired_paid"]))
    for rejection in _REJECTIONS.decode(row["rejections"]):
        if rejection.at > now - policy.rejections_count_for:
            yield "provisioning_rejected", {"offer": rejection.offer, "at": rejection.at}
    for product in owned:
        yield from _of(product, policy, now)


def _of(product: ProductView, policy: AttentionPolicy, now: datetime) -> Iterator[tuple[Reason, dict[str, Any]]]:
    if product.kind == "trial" and product.trial_ends_at is not None and product.trial_ends_at <= now + policy.trial_ends_within:
        yield "trial_ends_soon", _about(product, product.trial_ends_at)
    if 0 < product.capacity <= product.used:
        yield "seats_all_used" if product.used == product.capacity else "seats_exceeded", _about(product, None)


def _about(product: ProductView, at: datetime | None) -> dict[str, Any]:
    return {"subscription_id": product.subscription_id, "product": product.product, "at": at}
