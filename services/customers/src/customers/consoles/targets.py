"""Console targets: the customers whose console may be launched, to pick a customer and its product from (CUS-56)."""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import FromClause, Select, Text, bindparam, cast, func, literal, select
from sqlalchemy.dialects.postgresql import JSONB

from chassis.database import Read
from chassis.http.lists import Given, Listing, Paged, Sorts, Wanted
from chassis.http.views import Stored, View
from contracts.customers.customers import ManagementType, ProductAsked
from customers.rules.selecting import pattern
from customers.tables.customers import Customer

_MANAGED: Final = ("partner_managed", "co_managed")


class ConsoleTargetView(View, frozen=True, kw_only=True):
    """A customer that lets its partner sign in, with the products asked for. Launching needs Read/Write on it."""

    id: UUID
    name: str
    management_type: ManagementType
    products: Stored[list[ProductAsked]]


def _build(relation: FromClause, given: Given) -> Select[Any]:
    targets = select(*ConsoleTargetView.columns(relation)).where(
        relation.c.status == "active", relation.c.management_type.in_([*map(literal, _MANAGED)])
    )
    if "offer" in given:
        asked = func.jsonb_build_array(func.jsonb_build_object("offer", cast(bindparam("offer"), Text)), type_=JSONB)
        targets = targets.where(relation.c.products.contains(asked))
    return targets.where(relation.c.name_key.like(bindparam("q"))) if "q" in given else targets


_SORTS: Final = Sorts({"name": ("name_key", str)}, default="name", last=("id", UUID))
_TARGETS: Final = Paged(Customer, ConsoleTargetView, _SORTS, build=_build, customer="id")


async def page(read: Read, wanted: Wanted, *, q: str | None, offer: str | None) -> Listing[ConsoleTargetView]:
    """The customers whose console may be launched, by a fragment of their name and by a product's offer."""
    return await _TARGETS.page(read, wanted, q=pattern(q), offer=offer)
