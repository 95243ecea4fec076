"""What is screened against, and how far the newest look at all customers has come (CUS-13)."""

from datetime import datetime
from typing import Final
from uuid import UUID

from chassis.database import Read
from chassis.http.views import View

_LISTS: Final = "select list_name, names, loaded_at from screening_lists order by list_name"
_NEWEST: Final = """
select id, started_at, partners, partners_done, customers, found, ended_at from screening_runs order by started_at desc limit 1
"""


class ListView(View, frozen=True, kw_only=True):
    """A list of denied parties; `names` counts its parties under each of their names."""

    list_name: str
    names: int
    loaded_at: datetime


class RunView(View, frozen=True, kw_only=True):
    """A look at all customers: `found` are those that it held for a review."""

    id: UUID
    started_at: datetime
    partners: int
    partners_done: int
    customers: int
    found: int
    ended_at: datetime | None


class ScreeningView(View, frozen=True, kw_only=True):
    lists: list[ListView]
    run: RunView | None


class BegunView(View, frozen=True, kw_only=True):
    """A look at all customers that will begin in a moment."""

    id: UUID


async def screening(read: Read) -> ScreeningView:
    """The lists in force, and the newest run (operators only: they read the tables)."""
    lists = [ListView.of(row) for row in await read.connection.fetch(_LISTS)]
    run = await read.connection.fetchrow(_NEWEST)
    return ScreeningView(lists=lists, run=RunView.of(run) if run else None)
