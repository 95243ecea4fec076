"""Facets: how many customers there are of each kind, among those that filters leave (CUS-33).

Counted are the customers that the reader sees, as they are listed: one statement for what a
customer has one of, one each for its tags and the offers by which it has something.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, Select, TableValuedColumn, func, select, true, tuple_

from chassis.database import Read, Reading
from chassis.http.lists import Given
from chassis.http.views import Keyed, View
from customers.rules.selecting import EVERYBODY, Filters, narrowed, subscriptions
from customers.tables.customers import Customer

MOST: Final = 100
_SINGLE: Final = ("management_type", "account_type", "status", "country")
_GROUPED: Final = {0b0111: "management_type", 0b1011: "account_type", 0b1101: "status", 0b1110: "country"}
"""What PostgreSQL's GROUPING answers for each of them: a bit is set for what a row is not grouped by."""


class FacetsView(View, frozen=True, kw_only=True):
    """Counts by value; of tags and offers the hundred most frequent, since a customer may have several."""

    total: int
    management_type: dict[str, int]
    account_type: dict[str, int]
    status: dict[str, int]
    country: dict[str, int]
    tags: dict[str, int]
    offers: dict[str, int]
    as_of: datetime


def _singles(relation: FromClause, given: Given) -> Select[Any]:
    columns = [relation.c[name] for name in _SINGLE]
    sets = func.grouping_sets(*(tuple_(column) for column in columns), tuple_())
    return narrowed(select(func.count().label("customers"), func.grouping(*columns).label("by"), *columns), relation, given).group_by(sets)


def _several(relation: FromClause, given: Given, each: TableValuedColumn[str]) -> Select[Any]:
    columns: list[ColumnElement[Any]] = [each.label("value"), func.count().label("customers")]
    return narrowed(select(*columns).select_from(relation), relation, given).group_by(each).order_by(func.count().desc(), each).limit(MOST)


def _tags(relation: FromClause, given: Given) -> Select[Any]:
    return _several(relation, given, func.unnest(relation.c.tags).column_valued("one"))


def _offers(relation: FromClause, given: Given) -> Select[Any]:
    has = subscriptions(relation).lateral("has")
    customers = func.count(relation.c.id.distinct())
    counted = select(has.c.offer.label("value"), customers.label("customers")).select_from(relation.join(has, true()))
    named = narrowed(counted, relation, given).where(has.c.offer.is_not(None))
    return named.group_by(has.c.offer).order_by(customers.desc(), has.c.offer).limit(MOST)


_BY_SINGLES: Final = Reading(Customer, _singles, customer="id")
_BY_TAGS: Final = Reading(Customer, _tags, customer="id")
_BY_OFFERS: Final = Reading(Customer, _offers, customer="id")


async def facets(read: Read, filters: Filters = EVERYBODY) -> FacetsView:
    """What there is to filter by, among the customers that the filters leave."""
    params = filters.params
    given = frozenset(params)
    counts: dict[str, dict[str, int]] = {name: {} for name in _SINGLE}
    total = 0
    for row in await read.rows(_BY_SINGLES, given, **params):
        name = _GROUPED.get(row["by"])
        if name is None:
            total = row["customers"]
        else:
            counts[name][row[name]] = row["customers"]
    tags, offers = [await read.rows(reading, given, **params) for reading in (_BY_TAGS, _BY_OFFERS)]
    return FacetsView(total=total, tags=_counted(tags), offers=_counted(offers), as_of=read.real_now, **counts)


def _counted(rows: Sequence[Keyed]) -> dict[str, int]:
    return {row["value"]: row["customers"] for row in rows}
