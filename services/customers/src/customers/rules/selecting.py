"""Selecting: which customers are meant by filters, for whatever lists, counts or exports them (CUS-31, CUS-33, CUS-37).

A filter that is left out means all; several together mean whom all of them leave. Who was rejected,
deleted or purged is meant only where a status asks for it, or somebody selected it.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    FromClause,
    Select,
    Text,
    Uuid,
    any_,
    bindparam,
    case,
    column,
    literal_column,
    or_,
    select,
    table,
    text,
)

from chassis.database import Transaction
from chassis.database.visibility import shown
from chassis.http.lists import Sorts
from contracts.licensing.subscriptions import STANDING
from customers.rules.names import search_key
from customers.tables.customers import LIVING, Customer
from customers.tables.known import subscriptions as known

_MEMBERS: Final = {"offers": "offer", "kinds": "kind"}
_OF_WHAT_IT_HAS: Final = frozenset({*_MEMBERS, "managed_here"})
_TRIED: Final = ("trial", "paused")
_ANY_OF: Final = ("status", "management_type", "account_type", "country")
_TEXTS: Final = ARRAY(Text)
SORTS: Final = Sorts(
    {"name": ("name_key", str), "type": ("management_type", str), "created_at": ("created_at", datetime), "status": ("status", str)},
    default="name",
    last=("id", UUID),
)
"""The orders in which customers are listed and exported (CUS-32)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """``q`` is a fragment of the name; of the others any value may fit, of ``all_tags`` every one must.

    ``offers`` and ``kinds`` are of what a customer has, and ``managed_here`` means customers that have something.
    ``ids`` are customers that somebody selected.
    """

    ids: Sequence[UUID] = ()
    q: str | None = None
    status: Sequence[str] = ()
    management_type: Sequence[str] = ()
    account_type: Sequence[str] = ()
    country: Sequence[str] = ()
    tags: Sequence[str] = ()
    all_tags: Sequence[str] = ()
    offers: Sequence[str] = ()
    kinds: Sequence[str] = ()
    managed_here: bool = False

    @property
    def params(self) -> dict[str, Any]:
        """The parameters of those that are given; their names are what ``narrowed`` takes."""
        given = {field.name: getattr(self, field.name) for field in fields(self)} | {"q": pattern(self.q)}
        return {name: [*value] if isinstance(value, list | tuple) else value for name, value in given.items() if value}


EVERYBODY: Final = Filters()


def narrowed(customers: Select[Any], relation: FromClause, given: Collection[str]) -> Select[Any]:
    """A statement over customers, of those that the given filters leave."""
    columns = relation.c
    chosen = customers.where(*(columns[name] == any_(bindparam(name, type_=_TEXTS)) for name in _ANY_OF if name in given))
    if "ids" in given:
        chosen = chosen.where(columns.id == any_(bindparam("ids", type_=ARRAY(Uuid))))
    if "status" not in given and "ids" not in given:
        chosen = chosen.where(text(LIVING))
    if "q" in given:
        chosen = chosen.where(columns.name_key.like(bindparam("q")))
    if "tags" in given:
        chosen = chosen.where(columns.tags.op("&&")(bindparam("tags", type_=_TEXTS)))
    if "all_tags" in given:
        chosen = chosen.where(columns.tags.op("@>")(bindparam("all_tags", type_=_TEXTS)))
    return chosen if _OF_WHAT_IT_HAS.isdisjoint(given) else chosen.where(_has_some(relation, given))


def _has_some(relation: FromClause, given: Collection[str]) -> ColumnElement[bool]:
    """That a customer has something which all of the given filters of it fit."""
    has = subscriptions(relation)
    for name, member in _MEMBERS.items():
        if name in given:
            has = has.where(has.selected_columns[member] == any_(bindparam(name, type_=_TEXTS)))
    return has.exists()


def seen_by(tx: Transaction, filters: Filters) -> Select[tuple[UUID]]:
    """The ids of the customers of the transaction's partner that filters leave and its principal sees, by name."""
    if tx.principal is None:
        raise ValueError("nobody asks, so nobody sees anything")
    customers = Customer.__table__
    chosen = narrowed(select(customers.c.id), customers, filters.params).where(customers.c.partner_id == tx.partner_id)
    given = filters.params
    if tx.principal.kind != "operator":
        chosen = chosen.where(shown(customers.c.id))
        given |= {"viewer": tx.principal.user_id, "viewer_partner": tx.principal.partner_id}
    return chosen.order_by(customers.c.name_key, customers.c.id).params(given)


def subscriptions(customers: FromClause) -> Select[Any]:
    """What a customer of a statement has that is not over, by offer and kind."""
    name = f"{known.name}{customers.description.removeprefix(Customer.__tablename__)}"
    every = table(name, *(column(name, known.c[name].type) for name in ("partner_id", "customer_id", "offer", "status"))).c
    kind = case((_among(every.status, _TRIED), literal_column("'trial'", Text)), else_=literal_column("'paid'", Text))
    theirs = (every.partner_id == customers.c.partner_id, every.customer_id == customers.c.id)
    return select(every.offer, kind.label("kind")).where(*theirs, _among(every.status, sorted(STANDING))).correlate(customers)


def _among(status: ColumnElement[str], statuses: Iterable[str]) -> ColumnElement[bool]:
    return or_(*(status == one for one in statuses))


def pattern(fragment: str | None) -> str | None:
    """A fragment as a pattern, in which nothing but its ends is open."""
    if fragment is None or not fragment.strip():
        return None
    escaped = search_key(fragment).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
