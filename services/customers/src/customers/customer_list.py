"""Customers as they are listed, searched and shown (CUS-29, CUS-31, CUS-32).

Answers are bytes made from rows; what is stored as JSON goes out as it is, but for the contact, of
whose time zone it is said whether it observes daylight saving (CUS-08).
"""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import bindparam, select, text

from chassis.database import Read, Reading
from chassis.http.lists import Page, Sort, Sorts
from customers.errors import CustomerNotFound
from customers.rules.columns import chosen, raw
from customers.rules.names import search_key
from customers.rules.time_zones import observes_daylight_saving
from customers.tables.customers import LIVING, Customer

_JSON: Final = frozenset({"company", "first_admin", "products"})


class ContactShown(msgspec.Struct):
    """A contact; ``observes_daylight_saving`` is of its time zone, in the year of the answer."""

    name: str
    email: str
    phone: str | None
    language: str
    time_zone: str
    observes_daylight_saving: bool = False


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
    contact: ContactShown
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
    contact: ContactShown
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
    conditions: list[Any] = [relation.c[name] == bindparam(name) for name in sorted(filters - {"q"})]
    if "status" not in filters:
        conditions.append(text(LIVING))
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
    """The customers that the reader sees, a page at a time; those rejected or deleted only where their status is asked for."""
    order = _SORTS.read(wanted.sort)
    after = order.read(wanted.cursor)
    filters = {"status": wanted.status, "management_type": wanted.management_type, "q": _pattern(wanted.q)}
    given = {name: value for name, value in filters.items() if value is not None}
    rows = await read.rows(_PAGE, (order, bool(after), frozenset(given)), limit=wanted.limit + 1, **given, **after)
    return Page.cut(rows, partial(_shown, CustomerLine, year=read.now.year), sort=order, limit=wanted.limit, as_of=read.now)


async def one(read: Read, customer_id: UUID) -> CustomerShown:
    """One customer.

    Raises:
        CustomerNotFound: there is none that the reader sees.
    """
    row = await read.row(_ONE, id=customer_id)
    if row is None:
        raise CustomerNotFound
    return _shown(CustomerShown, row, year=read.now.year)


def shown(customer: Customer) -> CustomerShown:
    """A customer that was just changed, as ``one`` answers it."""
    values = {name: getattr(customer, name) for name in CustomerShown.__struct_fields__}
    texts = {name: msgspec.json.encode(values[name]).decode() for name in (*_JSON, "contact")}
    return _shown(CustomerShown, values | texts, year=customer.updated_at.year)


def _shown[S: msgspec.Struct](kind: type[S], row: Any, *, year: int) -> S:
    contact = msgspec.json.decode(row["contact"], type=ContactShown)
    contact.observes_daylight_saving = observes_daylight_saving(contact.time_zone, year)
    values = {name: raw(row[name]) if name in _JSON else row[name] for name in kind.__struct_fields__}
    return kind(**values | {"contact": contact})


def _pattern(fragment: str | None) -> str | None:
    """A fragment as a pattern, in which nothing but its ends is open."""
    if fragment is None or not fragment.strip():
        return None
    escaped = search_key(fragment).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
