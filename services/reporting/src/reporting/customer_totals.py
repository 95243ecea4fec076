"""How many customers of which kind a partner has, and how many trials and paid subscriptions.

Added up from the customers' rows and never from their subscriptions, so that the same
customers are counted that the caller's list shows.
"""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, FromClause, Select, cast, func, select

from chassis.database import Read, Reading
from chassis.http.views import View
from reporting.rules import attention, freshness, policies
from reporting.rules.attention_policy import AttentionPolicy
from reporting.rules.customer_filters import everyday
from reporting.tables.customer_overview import CustomerOverview


class ByManagementTypeView(View, frozen=True, kw_only=True):
    partner_managed: int = 0
    customer_managed: int = 0
    co_managed: int = 0


class SubscriptionCountsView(View, frozen=True):
    """Subscriptions that run: those in trial, and those in a paid term."""

    trial: int
    paid: int


class CustomerTotalsView(View, frozen=True, kw_only=True):
    customers: int
    by_management_type: ByManagementTypeView
    subscriptions: SubscriptionCountsView
    needs_attention: int
    as_of: datetime | None
    lag_seconds: float | None


async def for_partner(read: Read) -> CustomerTotalsView:
    """The totals over all customers that the caller may see (CUS-85); a management type without customers is zero."""
    fresh = await freshness.of(read)
    policy = (await policies.read(read, AttentionPolicy)).policy
    rows = await read.rows(_TOTALS, **attention.parameters(policy, read.now))
    counted = {row["management_type"]: row["customers"] for row in rows}
    return CustomerTotalsView(
        customers=sum(counted.values()),
        by_management_type=ByManagementTypeView(**counted),
        subscriptions=SubscriptionCountsView(trial=sum(row["trials"] for row in rows), paid=sum(row["paid"] for row in rows)),
        needs_attention=sum(row["needs_attention"] for row in rows),
        as_of=fresh.as_of,
        lag_seconds=fresh.lag_seconds,
    )


def _totals(r: FromClause, _shape: object) -> Select[Any]:
    return (
        select(
            r.c.management_type,
            func.count().label("customers"),
            cast(func.sum(r.c.trials), BigInteger).label("trials"),
            cast(func.sum(r.c.paid), BigInteger).label("paid"),
            func.count().filter(attention.needed(r)).label("needs_attention"),
        )
        .where(everyday(r))
        .group_by(r.c.management_type)
    )


_TOTALS: Final = Reading(CustomerOverview, _totals, customer="id")
