"""Selecting: which customers are meant by filters, for whatever lists, counts or exports them (CUS-31, CUS-33, CUS-37).

A filter that is left out means all; several together mean whom all of them leave. Who was
rejected, deleted or purged is meant only where a status asks for it.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, FromClause, Select, Text, TextClause, Uuid, any_, bindparam, func, select, text

from chassis.database import Transaction
from chassis.database.visibility import shown
from chassis.http.lists import Sorts
from customers.rules.names import search_key
from customers.tables.customers import LIVING, Customer

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

    ``offers`` and ``kinds`` are of products asked for here, and ``managed_here`` means customers that have some.
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
    if "status" not in given:
        chosen = chosen.where(text(LIVING))
    if "q" in given:
        chosen = chosen.where(columns.name_key.like(bindparam("q")))
    if "tags" in given:
        chosen = chosen.where(columns.tags.op("&&")(bindparam("tags", type_=_TEXTS)))
    if "all_tags" in given:
        chosen = chosen.where(columns.tags.op("@>")(bindparam("all_tags", type_=_TEXTS)))
    for name, member in (("offers", "offer"), ("kinds", "kind")):
        if name in given:
            chosen = chosen.where(_asked_for(relation, member, name))
    return chosen.where(func.jsonb_array_length(columns.products) > 0) if "managed_here" in given else chosen


def seen_by(tx: Transaction, filters: Filters) -> Select[tuple[UUID]]:
    """The ids of the customers of the transaction's partner that filters leave and its principal sees, by name."""
    if tx.principal is None:
        raise ValueError("nobody asks, so nobody sees anything")
    table = Customer.__table__
    chosen = narrowed(select(table.c.id), table, filters.params).where(table.c.partner_id == tx.partner_id)
    given = filters.params
    if tx.principal.kind != "operator":
        chosen = chosen.where(shown(table.c.id))
        given |= {"viewer": tx.principal.user_id, "viewer_partner": tx.principal.partner_id}
    return chosen.order_by(table.c.name_key, table.c.id).params(given)


def _asked_for(relation: FromClause, member: str, name: str) -> TextClause:
    """The condition that a product was asked for whose member has one of the values of the filter of this name."""
    products = f"jsonb_array_elements({relation.description}.products)"
    return text(f"exists (select from {products} asked where asked ->> '{member}' = any(:{name}))").bindparams(
        bindparam(name, type_=_TEXTS)
    )


def pattern(fragment: str | None) -> str | None:
    """A fragment as a pattern, in which nothing but its ends is open."""
    if fragment is None or not fragment.strip():
        return None
    escaped = search_key(fragment).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"
