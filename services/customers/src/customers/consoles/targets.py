"""Console targets: the customers whose console may be launched, to pick a customer and its product from (CUS-56)."""

from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, Select, Text, bindparam, cast, distinct, func, literal, literal_column, select
from sqlalchemy.dialects.postgresql import JSONB

from chassis.database import Read
from chassis.http.lists import Given, Listing, Paged, Sorts, Wanted
from chassis.http.views import Stored, View
from contracts.customers.customers import ManagementType
from customers.rules.selecting import pattern, subscriptions
from customers.tables.customers import Customer

_MANAGED: Final = ("partner_managed", "co_managed")


class ProductHeldView(View, frozen=True, kw_only=True):
    """Something that a customer has now, by the offer that it was ordered by."""

    offer: str
    kind: Literal["trial", "paid"]


class ConsoleTargetView(View, frozen=True, kw_only=True):
    """A customer that lets its partner sign in, with the products that it has now. Launching needs Read/Write on it."""

    id: UUID
    name: str
    management_type: ManagementType
    products: Stored[list[ProductHeldView]]


def _build(relation: FromClause, given: Given) -> Select[Any]:
    columns = relation.c
    shown = (columns.id, columns.name, columns.management_type, _held(relation))
    targets = select(*shown).where(columns.status == "active", columns.management_type.in_([*map(literal, _MANAGED)]))
    if "offer" in given:
        has = subscriptions(relation)
        targets = targets.where(has.where(has.selected_columns.offer == bindparam("offer", type_=Text)).exists())
    return targets.where(columns.name_key.like(bindparam("q"))) if "q" in given else targets


def _held(relation: FromClause) -> ColumnElement[Any]:
    """What a customer of the statement has, as the text of a JSON array."""
    has = subscriptions(relation)
    offer, kind = has.selected_columns.offer, has.selected_columns.kind
    one = func.jsonb_build_object(literal_column("'offer'"), offer, literal_column("'kind'"), kind)
    every = has.where(offer.is_not(None)).with_only_columns(func.jsonb_agg(distinct(one), type_=JSONB))
    return cast(func.coalesce(every.scalar_subquery(), cast(literal_column("'[]'"), JSONB)), Text).label("products")


_SORTS: Final = Sorts({"name": ("name_key", str)}, default="name", last=("id", UUID))
_TARGETS: Final = Paged(Customer, ConsoleTargetView, _SORTS, build=_build, customer="id")


async def page(read: Read, wanted: Wanted, *, q: str | None, offer: str | None) -> Listing[ConsoleTargetView]:
    """The customers whose console may be launched, by a fragment of their name and by the offer of something that they have."""
    return await _TARGETS.page(read, wanted, q=pattern(q), offer=offer)
