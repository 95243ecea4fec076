"""The orders in which customers are listed, each an index of ``customer_overview`` (CUS-32)."""

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from chassis.http.lists import Sort, Term

type SortBy = Literal[
    "name",
    "-name",
    "type",
    "-type",
    "created_at",
    "-created_at",
    "trial_ends_at",
    "-trial_ends_at",
    "require_update",
    "-require_update",
]


def _sort(*terms: tuple[str, str, type], descending: bool) -> Sort:
    return Sort(tuple(Term(name, column, kind, descending=descending) for name, column, kind in (*terms, ("id", "id", UUID))))


_NAME: Final = ("name", "name_key", str)
_OFFERED: Final[dict[str, tuple[tuple[str, str, type], ...]]] = {
    "name": (_NAME,),
    "type": (("type", "management_type", str), _NAME),
    "created_at": (("created_at", "created_at", datetime),),
    "trial_ends_at": (("trial_ends_at", "next_trial_end", datetime),),
    "require_update": (("require_update", "agent_updates", int), _NAME),
}
SORTS: Final[dict[str, Sort]] = {
    sign + name: _sort(*terms, descending=bool(sign)) for name, terms in _OFFERED.items() for sign in ("", "-")
}
