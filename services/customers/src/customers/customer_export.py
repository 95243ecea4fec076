"""Customers as a CSV file: those that somebody selected, or all that filters leave (CUS-36).

What is in it is what the reader would be shown in the list, in the same order.
"""

from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, FromClause, Select, func, select

from chassis.database import Read, Reading
from chassis.database.reading import Sink
from chassis.http.exports import LONGEST, cell, moment
from chassis.http.lists import Given, Sort
from customers.rules.selecting import EVERYBODY, SORTS, Filters, narrowed
from customers.tables.customers import Customer

_PLAIN: Final = ("status", "management_type", "communications_mode", "account_type")
_OF_COMPANY: Final = ("address_1", "address_2", "address_3", "city", "postal_code", "region", "country", "phone", "website")
_OF_CONTACT: Final = ("name", "email", "phone", "language", "time_zone")


class _Shape(NamedTuple):
    sort: Sort
    given: Given


def _build(relation: FromClause, shape: _Shape) -> Select[Any]:
    kept = relation.c
    columns: list[ColumnElement[Any]] = [
        *(kept.id, kept.partner_id, cell(kept.name), *(kept[name] for name in _PLAIN), cell(kept.domain)),
        *(cell(kept.company[name].astext, name) for name in _OF_COMPANY),
        *(cell(kept.contact[name].astext, f"contact_{name}") for name in _OF_CONTACT),
        *(cell(func.array_to_string(kept.tags, ", "), "tags"), kept.data_region, moment(kept.created_at)),
    ]
    return narrowed(select(*columns), relation, shape.given).order_by(*shape.sort.order(relation))


_EXPORT: Final = Reading(Customer, _build, customer="id")


async def export(read: Read, sink: Sink, *, sort: str | None = None, filters: Filters = EVERYBODY) -> None:
    """Give the customers that the reader sees to ``sink``, as far as the filters leave them.

    Raises:
        UnknownSort: the list is not offered in this order.
    """
    params = filters.params
    await read.copy(_EXPORT, sink, _Shape(SORTS.read(sort), frozenset(params)), within=LONGEST, **params)
