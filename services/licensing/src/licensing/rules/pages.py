"""Pages of lists: cut by key, in the shape that the OpenAPI document describes."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from asyncpg import Record
from pydantic import BaseModel

from chassis.http.lists import Listing, Sort, Sorts

NEWEST_SUBSCRIPTIONS: Final = Sorts({"started_at": ("started_at", datetime)}, default="-started_at", last=("id", UUID))
NEWEST_LINES: Final = Sorts({"rated_at": ("rated_at", datetime)}, default="-rated_at", last=("id", UUID))


def cut[V: BaseModel](rows: Sequence[Record], view: Callable[[Record], V], *, sort: Sort, limit: int, as_of: datetime) -> Listing[V]:
    """A page of at most ``limit`` of rows of which one more was asked for."""
    kept = rows[:limit]
    following = sort.cursor(dict(kept[-1])) if len(rows) > limit else None
    return Listing(items=[view(row) for row in kept], next=following, as_of=as_of)


def whole[V: BaseModel](items: Sequence[V], as_of: datetime) -> Listing[V]:
    """A list that is always short enough for one page."""
    return Listing(items=list(items), next=None, as_of=as_of)


def decoded(row: Record, *columns: str) -> dict[str, Any]:
    """A row read on a raw connection, where JSON comes as text."""
    told = {name: None if row[name] is None else msgspec.json.decode(row[name]) for name in columns}
    return {**dict(row), **told}
