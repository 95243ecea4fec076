"""Subscriptions as their partner reads them."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from msgspec import UNSET
from sqlalchemy import FromClause, Select, bindparam, select

from chassis.database import Read, Reading
from chassis.http.lists import Given, Listing, Paged, Sorts, Wanted
from chassis.http.views import Stored, View, Withheld
from contracts.licensing.offers import TrialPolicy
from contracts.licensing.subscriptions import SubscriptionStatus
from licensing.errors import SubscriptionNotFound
from licensing.rules import standings
from licensing.tables.subscriptions import Subscription


class SubscriptionView(View, frozen=True, kw_only=True):
    """``trial_policy`` is the policy pinned at start; terms are half-open instants that begin at local midnight in ``zone``.

    A customer's own users are not shown by which offer and at which price its partner gives it.
    """

    id: UUID
    version: int
    customer_id: UUID
    item: int | None
    serial_number: str
    offer: Withheld[str] = UNSET
    offer_version: Withheld[int] = UNSET
    product: str
    product_type: str
    status: SubscriptionStatus
    seats_bought: int
    seats_used: int
    zone: str
    started_at: datetime
    trial_policy: Withheld[Stored[TrialPolicy] | None] = UNSET
    trial_ends_at: datetime | None
    term_start: datetime | None
    term_end: datetime | None
    auto_renew: bool
    currency: Withheld[str | None] = UNSET
    unit_price: Withheld[Decimal | None] = UNSET
    price_period: Withheld[str | None] = UNSET
    charge: Withheld[str | None] = UNSET


def _kept(relation: FromClause, given: Given = frozenset()) -> Select[Any]:
    """Those whose customer is not purged."""
    wanted = (relation.c[name] == bindparam(name, type_=relation.c[name].type) for name in ("customer_id", "status") if name in given)
    return select(*SubscriptionView.columns(relation)).where(relation.c.forgotten_at.is_(None), *wanted)


_SORTS: Final = Sorts({"started_at": ("started_at", datetime)}, default="-started_at", last=("id", UUID))
_SUBSCRIPTIONS: Final = Paged(Subscription, SubscriptionView, _SORTS, build=_kept, customer="customer_id")
_ONE: Final = Reading(
    Subscription,
    lambda r, _shape: _kept(r).where(r.c.id == bindparam("id", type_=r.c.id.type)),
    customer="customer_id",
)


async def one(read: Read, subscription_id: UUID) -> SubscriptionView:
    """One subscription.

    Raises:
        CapabilityMissing: the partner may not read it (LIC-06).
        SubscriptionNotFound: there is none, or the caller's roles hide its customer.
    """
    await standings.to_monitor(read)
    row = await read.row(_ONE, id=subscription_id)
    if row is None:
        raise SubscriptionNotFound
    return SubscriptionView.of(row)


async def customer_of(read: Read, subscription_id: UUID) -> UUID:
    """Whose it is; a subscription never changes its customer.

    Raises:
        SubscriptionNotFound: there is none, or the caller's roles hide its customer.
    """
    row = await read.row(_ONE, id=subscription_id)
    if row is None:
        raise SubscriptionNotFound
    customer_id: UUID = row["customer_id"]
    return customer_id


async def page(
    read: Read, wanted: Wanted, *, customer_id: UUID | None = None, status: SubscriptionStatus | None = None
) -> Listing[SubscriptionView]:
    """Newest first, unless asked otherwise.

    Raises:
        CapabilityMissing: the partner may not read them (LIC-06).
    """
    await standings.to_monitor(read)
    return await _SUBSCRIPTIONS.page(read, wanted, customer_id=customer_id, status=status)
