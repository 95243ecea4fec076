"""Rated lines as their partner reads them: immutable, each explains its own amount (BEY-06)."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from asyncpg import Record
from pydantic import BaseModel
from sqlalchemy import FromClause, Select, bindparam, select

from chassis.database import Read, Reading
from chassis.http.lists import Listing, Sort
from licensing.rules import pages
from licensing.tables.lines import BillingLine


@dataclass(frozen=True, slots=True, kw_only=True)
class ListLines:
    customer_id: UUID | None = None
    subscription_id: UUID | None = None
    sort: str | None = None
    cursor: str | None = None
    limit: int = 50


class LineView(BaseModel):
    """``amount = round(unit_price x quantity x numerator / denominator) + adjustment`` in minor units, by ``rounding_order``."""

    id: UUID
    customer_id: UUID
    subscription_id: UUID
    reason: str
    product: str
    offer: str
    offer_version: int
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
    policy_versions: dict[str, str]
    corrects: UUID | None
    rated_at: datetime


def _page(r: FromClause, shape: tuple[Sort, bool, bool, bool]) -> Select[Any]:
    sort, of_customer, of_subscription, further = shape
    wanted = select(r).order_by(*sort.order(r)).limit(bindparam("limit"))
    if of_customer:
        wanted = wanted.where(r.c.customer_id == bindparam("customer_id", type_=r.c.customer_id.type))
    if of_subscription:
        wanted = wanted.where(r.c.subscription_id == bindparam("subscription_id", type_=r.c.subscription_id.type))
    return wanted.where(sort.after(r)) if further else wanted


_PAGE: Final = Reading(BillingLine, _page, customer="customer_id")


async def page(read: Read, asked: ListLines) -> Listing[LineView]:
    """Newest first, unless asked otherwise."""
    sort = pages.NEWEST_LINES.read(asked.sort)
    after = sort.read(asked.cursor)
    shape = (sort, asked.customer_id is not None, asked.subscription_id is not None, bool(after))
    rows = await read.rows(
        _PAGE, shape, limit=asked.limit + 1, customer_id=asked.customer_id, subscription_id=asked.subscription_id, **after
    )
    return pages.cut(rows, _view, sort=sort, limit=asked.limit, as_of=read.now)


def _view(row: Record) -> LineView:
    return LineView.model_validate(pages.decoded(row, "policy_versions"))
