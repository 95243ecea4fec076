"""Deletions as they are shown: how far one is, what is in its way, until when it can be undone, what each service has erased.

A purged customer is none of anybody's any more; its deletion is seen by whoever sees new customers.
"""

from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import Select, bindparam, select

from chassis.database import Read, Reading
from chassis.http.views import Stored, View
from contracts.customers.offboarding import ERASERS
from contracts.licensing.clearance import InTheWay
from customers.errors.offboarding import DeletionNotFound
from customers.tables.offboarding import Deletion, Erasure

type DeletionStatus = Literal["asked", "blocked", "withdrawn", "deleted", "restored", "purging", "purged"]


class ErasureView(View, frozen=True, kw_only=True):
    """What a service has erased, by kind."""

    service: str
    counts: Stored[dict[str, int]]
    answered_at: datetime


class DeletionView(View, frozen=True, kw_only=True):
    """The last deletion of a customer. While it is purged, `waiting_for` names the services that have not answered yet."""

    id: UUID
    partner_id: UUID
    version: int
    status: DeletionStatus
    asked_at: datetime
    job_id: UUID | None
    policy_version: int
    in_the_way: Stored[list[InTheWay]]
    deleted_at: datetime | None
    recoverable_until: datetime | None
    purged_at: datetime | None
    erased: list[ErasureView]
    waiting_for: list[str]


def _of(relation: Any, _shape: Any) -> Select[Any]:
    return select(*DeletionView.columns(relation)).where(relation.c.id == bindparam("id"))


_ONE: Final = Reading(Deletion, _of, customer="id")
_ERASED: Final = Reading(
    Erasure, lambda r, _shape: select(*ErasureView.columns(r)).where(r.c.customer_id == bindparam("id")).order_by(r.c.service)
)


async def one(read: Read, customer_id: UUID) -> DeletionView:
    """The last deletion of a customer.

    Raises:
        DeletionNotFound: there is none that the reader sees.
    """
    row = await read.row(_ONE, id=customer_id)
    if row is None:
        raise DeletionNotFound
    erased = [ErasureView.of(one) for one in await read.rows(_ERASED, id=customer_id)]
    silent = ERASERS - {one.service for one in erased} if row["status"] == "purging" else frozenset()
    return DeletionView.of(row, erased=erased, waiting_for=sorted(silent))
