"""Lists: what one may be asked, sorts that it offers, the keyset condition that goes on behind a cursor, and the page itself.

Pages are cut by key, never by offset: a row that is added or removed meanwhile neither repeats
nor hides another. Every order ends in the row's id, so it is total.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, NamedTuple, Self

from annotated_types import Ge, Le, MaxLen
from pydantic import BaseModel, ConfigDict
from sqlalchemy import ColumnElement, FromClause, Select, and_, bindparam, or_, select, tuple_

from chassis.database import Read, Reading
from chassis.errors import Kind, Refusal
from chassis.http import cursors
from chassis.http.cursors import Value
from chassis.http.views import Keyed, View

type Limit = Annotated[int, Ge(1), Le(200)]
type Cursor = Annotated[str, MaxLen(cursors.LONGEST)]
type SortText = Annotated[str, MaxLen(200)]
DEFAULT_LIMIT: Final = 50
MOST_TERMS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which part of a list is wanted, in which order."""

    sort: str | None = None
    cursor: str | None = None
    limit: int = DEFAULT_LIMIT


class Asked(BaseModel):
    """What follows the question mark: nothing, unless members are added.

    Anything else is refused, so that a misspelt filter never answers everything.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)


class ListQuery(Asked):
    """What every list takes that comes in pages; its filters are added, and mean all where they are left out."""

    sort: SortText | None = None
    cursor: Cursor | None = None
    limit: Limit = DEFAULT_LIMIT

    @property
    def wanted(self) -> Wanted:
        return Wanted(sort=self.sort, cursor=self.cursor, limit=self.limit)


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


class Listing[T](View, frozen=True, kw_only=True):
    """A page of a list; `next` is the cursor of the one behind it, if there is one."""

    items: list[T]
    next: str | None
    as_of: datetime

    @classmethod
    def cut[Row: Keyed](cls, rows: Sequence[Row], view: Callable[[Row], T], *, sort: Sort, limit: int, as_of: datetime) -> Self:
        """A page of at most ``limit`` of rows of which one more was asked for: whether it came says whether there is more."""
        kept = rows[:limit]
        return cls(items=[view(row) for row in kept], next=sort.cursor(kept[-1]) if len(rows) > limit else None, as_of=as_of)

    @classmethod
    def whole(cls, items: list[T], *, as_of: datetime) -> Self:
        """A list that is always short enough for one page."""
        return cls(items=items, next=None, as_of=as_of)


type Given = frozenset[str]
"""Names of the filters that a caller gave."""


class _Shape(NamedTuple):
    """What the text of a page's statement depends on."""

    sort: Sort
    further: bool
    given: Given


class Paged[V: View]:
    """A list of a noun, read a page at a time.

    ``build(relation, given)`` is its statement without order and limit; left out, it is the view's
    columns of the rows in which each filter's column has the filter's value.
    """

    def __init__(
        self,
        noun: type[Any],
        view: type[V],
        sorts: Sorts,
        *,
        build: Callable[[FromClause, Given], Select[Any]] | None = None,
        customer: str | None = None,
    ) -> None:
        self._view = view
        self._sorts = sorts
        self._build = build or self._equal
        self._reading = Reading(noun, self._page, customer=customer)

    async def page(self, read: Read, wanted: Wanted, *, view: Callable[[Any], V] | None = None, **filters: Any) -> Listing[V]:
        """One page of the rows that the reader sees. A filter that is None is not given.

        Raises:
            UnknownSort: the list is not offered in this order.
            BadCursor: the cursor is none of this order's.
        """
        sort = self._sorts.read(wanted.sort)
        after = sort.read(wanted.cursor)
        given = {name: value for name, value in filters.items() if value is not None}
        shape = _Shape(sort, bool(after), frozenset(given))
        rows = await read.rows(self._reading, shape, limit=wanted.limit + 1, **given, **after)
        return Listing.cut(rows, view or self._view.of, sort=sort, limit=wanted.limit, as_of=read.real_now)

    def _equal(self, relation: FromClause, given: Given) -> Select[Any]:
        columns = [relation.c[name] for name in sorted(given)]
        return select(*self._view.columns(relation)).where(*(one == bindparam(one.name, type_=one.type) for one in columns))

    def _page(self, relation: FromClause, shape: _Shape) -> Select[Any]:
        statement = self._build(relation, shape.given)
        chosen = statement.selected_columns
        statement = statement.add_columns(*(relation.c[term.column] for term in shape.sort.terms if term.column not in chosen))
        statement = statement.order_by(*shape.sort.order(relation)).limit(bindparam("limit"))
        return statement.where(shape.sort.after(relation)) if shape.further else statement
