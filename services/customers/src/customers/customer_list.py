"""Customers as they are listed, searched and shown (CUS-29, CUS-31, CUS-32).

Answers are bytes made from rows; what is stored as JSON goes out as it is.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import bindparam, select

from chassis.database import Read, Reading
from chassis.http.lists import Page, Sort, Sorts
from customers.errors import CustomerNotFound
from customers.rules.columns import chosen, raw
from customers.rules.names import search_key
from customers.tables.customers import Customer

_JSON: Final = frozenset({"company", "contact", "first_admin", "products"})


class CustomerLine(msgspec.Struct):
    """A customer in a list."""

    id: UUID
    partner_id: UUID
    version: int
    status: str
    management_type: str
    communications_mode: str
    company: msgspec.Raw
    domain: str
    contact: msgspec.Raw
    tags: list[str]
    created_at: datetime


class CustomerShown(msgspec.Struct):
    """One customer, whole."""

    id: UUID
    partner_id: UUID
    owner_partner_id: UUID
    version: int
    status: str
    management_type: str
    communications_mode: str
    company: msgspec.Raw
    domain: str
    contact: msgspec.Raw
    first_admin: msgspec.Raw
    products: msgspec.Raw
    review_reasons: list[str]
    tags: list[str]
    data_region: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What of a list is wanted: a fragment of the name, filters, order, and where it goes on."""

    q: str | None = None
    status: str | None = None
    management_type: str | None = None
    sort: str | None = None
    cursor: str | None = None
    limit: int


_SORTS: Final = Sorts(
    {"name": ("name_key", str), "type": ("management_type", str), "created_at": ("created_at", datetime), "status": ("status", str)},
    default="name",
    last=("id", UUID),
)
_COLUMNS: Final = (*CustomerLine.__struct_fields__, "name_key")


def _page(relation: Any, shape: tuple[Sort, bool, frozenset[str]]) -> Any:
    sort, further, filters = shape
    conditions = [relation.c[name] == bindparam(name) for name in sorted(filters - {"q"})]
    if "q" in filters:
        conditions.append(relation.c.name_key.like(bindparam("q")))
    if further:
        conditions.append(sort.after(relation))
    return select(*chosen(relation, _COLUMNS)).where(*conditions).order_by(*sort.order(relation)).limit(bindparam("limit"))


_PAGE: Final = Reading(Customer, _page, customer="id")
_ONE: Final = Reading(
    Customer,
    lambda r, _shape: select(*chosen(r, CustomerShown.__struct_fields__)).where(r.c.id == bindparam("id")),
    customer="id",
)


async def page(read: Read, wanted: Wanted) -> Page[CustomerLine]:
    """The customers that the reader sees, a page at a time."""
    order = _SORTS.read(wanted.sort)
    after = order.read(wanted.cursor)
    filters = {"status": wanted.status, "management_type": wanted.management_type, "q": _pattern(wanted.q)}
    given = {name: value for name, value in filters.items() if value is not None}
    rows = await read.rows(_PAGE, (order, bool(after), frozenset(given)), limit=wanted.limit + 1, **given, **after)
    return Page.cut(rows, _line, sort=order, limit=wanted.limit, as_of=read.now)


async def one(read: Read, customer_id: UUID) -> CustomerShown:
    """One customer.

    Raises:
        CustomerNotFound: there is none that the reader sees.
    """
    row = await read.row(_ONE, id=customer_id)
    if row is None:
        raise CustomerNotFound
    return CustomerShown(**_values(row, CustomerShown))


def shown(customer: Customer) -> CustomerShown:
    """A customer that was just changed, as ``one`` answers it."""
    values = {name: getattr(customer, name) for name in CustomerShown.__struct_fields__}
    return CustomerShown(**values | {name: msgspec.Raw(msgspec.json.encode(values[name])) for name in _JSON})


def _line(row: Any) -> CustomerLine:
    return CustomerLine(**_values(row, CustomerLine))


def _values(row: Any, line: type[msgspec.Struct]) -> dict[str, Any]:
    return {name: raw(row[name]) if name in _JSON else row[name] for name in line.__struct_fields__}


def _pattern(fragment: str | None) -> str | None:
    """A fragment as a pattern, in which nothing but its ends is open."""
    if fragment is None or not fragment.strip():
        return None
    escaped = search_key(fragment).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
