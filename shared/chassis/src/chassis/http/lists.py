"""Lists: sorts that a list offers, the keyset condition that goes on behind a cursor, and the page itself.

Pages are cut by key, never by offset: a row that is added or removed meanwhile neither repeats
nor hides another. Every order ends in the row's id, so it is total.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Protocol, Self

import msgspec
from annotated_types import Ge, Le, MaxLen
from pydantic import BaseModel
from sqlalchemy import ColumnElement, FromClause, and_, bindparam, or_, tuple_

from chassis.errors import Kind, Refusal
from chassis.http import cursors
from chassis.http.cursors import Value

type Limit = Annotated[int, Ge(1), Le(200)]
type Cursor = Annotated[str, MaxLen(cursors.LONGEST)]
DEFAULT_LIMIT: Final = 50
MOST_TERMS: Final = 2


class Keyed(Protocol):
    """A row whose columns are found by name: asyncpg's records, SQLAlchemy's mappings, dicts."""

    def __getitem__(self, name: str, /) -> Any: ...


class UnknownSort(Refusal):
    """The list cannot be sorted like this."""

    kind = Kind.INVALID
    code = "unknown_sort"
    remedy = "Use one or two of the members that `sortable` names, each once, with - in front for descending."


@dataclass(frozen=True, slots=True)
class Term:
    """One member of an order. ``column`` is the relation's column, ``type`` what its values are."""

    name: str
    column: str
    type: type
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Sort:
    """An order that a caller asked for. Hashable, so it can be (part of) a Reading's shape."""

    terms: tuple[Term, ...]

    @property
    def name(self) -> str:
        return ",".join(f"-{term.name}" if term.descending else term.name for term in self.terms)

    def order(self, relation: FromClause) -> list[ColumnElement[Any]]:
        """What to order by."""
        columns = ((relation.c[term.column], term.descending) for term in self.terms)
        return [column.desc() if descending else column.asc() for column, descending in columns]

    def after(self, relation: FromClause) -> ColumnElement[bool]:
        """The rows behind a cursor, whose values are the parameters ``after_0``, ``after_1``, ... (no column may be null).

        Where all terms have one direction, rows are compared whole: an index in this order begins at the cursor.
        """
        columns = [relation.c[term.column] for term in self.terms]
        values = [bindparam(f"after_{number}", type_=column.type) for number, column in enumerate(columns)]
        if all(term.descending for term in self.terms):
            return tuple_(*columns) < tuple_(*values)
        if not any(term.descending for term in self.terms):
            return tuple_(*columns) > tuple_(*values)
        ways: list[ColumnElement[bool]] = []
        same: list[ColumnElement[bool]] = []
        for term, column, value in zip(self.terms, columns, values, strict=True):
            ways.append(and_(*same, column < value if term.descending else column > value))
            same.append(column == value)
        return or_(*ways)

    def read(self, cursor: str | None) -> dict[str, Value]:
        """The parameters of ``after``; none on the first page.

        Raises:
            BadCursor: it is not one of this sort's.
        """
        if cursor is None:
            return {}
        values = cursors.decode(cursor, self.name, [term.type for term in self.terms])
        return {f"after_{number}": value for number, value in enumerate(values)}

    def cursor(self, row: Keyed) -> str:
        """The cursor behind a row, which has this sort's columns."""
        return cursors.encode([row[term.column] for term in self.terms], self.name)


class Sorts:
    """The orders that one list offers: member -> (column, type of its values), an order by default, and the id last."""

    def __init__(self, offered: Mapping[str, tuple[str, type]], *, default: str, last: tuple[str, type]) -> None:
        self._offered = offered
        self._last = last
        self._default = self.read(default)

    def read(self, text: str | None) -> Sort:
        """Read ``sort=-created_at,name``.

        Raises:
            UnknownSort: a member is not offered or comes twice, or there are more than two: each order is a statement of its own.
        """
        if text is None:
            return self._default
        names = text.split(",")
        bare = [name.removeprefix("-") for name in names]
        if len(set(bare)) != len(bare) or len(bare) > MOST_TERMS or any(name not in self._offered for name in bare):
            raise UnknownSort(sortable=[*sorted(self._offered)])
        terms = [Term(one, *self._offered[one], descending=name.startswith("-")) for one, name in zip(bare, names, strict=True)]
        column, kind = self._last
        if all(term.column != column for term in terms):
            terms.append(Term(column, column, kind, descending=terms[-1].descending))
        return Sort(tuple(terms))


class Page[T](msgspec.Struct):
    """A page as it is sent."""

    items: list[T]
    next: str | None
    as_of: datetime

    @classmethod
    def cut[Row: Keyed](cls, rows: Sequence[Row], view: Callable[[Row], T], *, sort: Sort, limit: int, as_of: datetime) -> Self:
        """A page of at most ``limit`` of rows of which one more was asked for: whether it came says whether there is more."""
        kept = rows[:limit]
        return cls(items=[view(row) for row in kept], next=sort.cursor(kept[-1]) if len(rows) > limit else None, as_of=as_of)


class Listing[T](BaseModel):
    """A page as the OpenAPI document describes it (``response_model``)."""

    items: list[T]
    next: str | None
    as_of: datetime
