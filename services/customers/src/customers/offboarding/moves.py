"""Moves as they are shown: where a customer is being moved to, and which services have not answered yet.

Whoever gave it away sees what became of it, and nothing of the customer.
"""

from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import Select, bindparam, select

from chassis.database import Read, Reading
from chassis.http.views import View
from contracts.customers.offboarding import RELEASERS
from customers.errors.offboarding import MoveNotFound
from customers.tables.offboarding import Move, Release


class MoveView(View, frozen=True, kw_only=True):
    """The last move of a customer, at the partner that it left or was to leave.

    While it is `asked`, `waiting_for` names the services that have not answered yet; without all of them it is called off at `until`.
    `code` says why it was called off.
    """

    id: UUID
    partner_id: UUID
    version: int
    status: Literal["asked", "moved", "called_off"]
    to_partner_id: UUID
    asked_at: datetime
    until: datetime
    job_id: UUID
    ended_at: datetime | None
    code: str | None
    waiting_for: list[str]


def _of(relation: Any, _shape: Any) -> Select[Any]:
    return select(*MoveView.columns(relation)).where(relation.c.id == bindparam("id"))


_ONE: Final = Reading(Move, _of, customer="id")
_ANSWERED: Final = Reading(Release, lambda r, _shape: select(r.c.service).where(r.c.customer_id == bindparam("id")))


async def one(read: Read, customer_id: UUID) -> MoveView:
    """The last move of a customer.

    Raises:
        MoveNotFound: there is none that the reader sees.
    """
    row = await read.row(_ONE, id=customer_id)
    if row is None:
        raise MoveNotFound
    answered = {one["service"] for one in await read.rows(_ANSWERED, id=customer_id)}
    silent = RELEASERS - answered if row["status"] == "asked" else frozenset()
    return MoveView.of(row, waiting_for=sorted(silent))
