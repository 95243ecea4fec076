"""Subscriptions as their partner reads them."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from asyncpg import Record
from pydantic import BaseModel
from sqlalchemy import FromClause, Select, bindparam, select

from chassis.database import Read, Reading
from chassis.http.lists import Listing, Sort
from contracts.licensing.subscriptions import SubscriptionStatus
from licensing.errors import SubscriptionNotFound
from licensing.rules import pages, standings
from licensing.tables.subscriptions import Subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSubscriptions:
    customer_id: UUID | None = None
    status: SubscriptionStatus | None = None
    sort: str | None = None
    cursor: str | None = None
    limit: int = 50


class SubscriptionView(BaseModel):
    """``trial_policy`` is the policy pinned at start; terms are half-open instants that begin at local midnight in ``zone``."""

    id: UUID
    version: int
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
    trial_policy: dict[str, Any] | None
    trial_ends_at: datetime | None
    term_start: datetime | None
    term_end: datetime | None
    auto_renew: bool
    currency: str | None
    unit_price: Decimal | None
    price_period: str | None
    charge: str | None


def shown(subscription: Subscription) -> SubscriptionView:
    return SubscriptionView.model_validate(subscription, from_attributes=True)


def _one(r: FromClause, _shape: Any) -> Select[Any]:
    return select(r).where(r.c.id == bindparam("id", type_=r.c.id.type))


def _page(r: FromClause, shape: tuple[Sort, bool, bool, bool]) -> Select[Any]:
    sort, of_customer, of_status, further = shape
    wanted = select(r).order_by(*sort.order(r)).limit(bindparam("limit"))
    if of_customer:
        wanted = wanted.where(r.c.customer_id == bindparam("customer_id", type_=r.c.customer_id.type))
    if of_status:
        wanted = wanted.where(r.c.status == bindparam("status"))
    return wanted.where(sort.after(r)) if further else wanted


_ONE: Final = Reading(Subscription, _one, customer="customer_id")
_PAGE: Final = Reading(Subscription, _page, customer="customer_id")


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
    return _view(row)


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


async def page(read: Read, asked: ListSubscriptions) -> Listing[SubscriptionView]:
    """Newest first, unless asked otherwise.

    Raises:
        CapabilityMissing: the partner may not read them (LIC-06).
    """
    await standings.to_monitor(read)
    sort = pages.NEWEST_SUBSCRIPTIONS.read(asked.sort)
    after = sort.read(asked.cursor)
    shape = (sort, asked.customer_id is not None, asked.status is not None, bool(after))
    rows = await read.rows(_PAGE, shape, limit=asked.limit + 1, customer_id=asked.customer_id, status=asked.status, **after)
    return pages.cut(rows, _view, sort=sort, limit=asked.limit, as_of=read.now)


def _view(row: Record) -> SubscriptionView:
    return SubscriptionView.model_validate(pages.decoded(row, "trial_policy"))
