"""Starting bulk jobs: over customers that somebody selected, or over all that filters leave (CUS-68, BEY-13).

Filters select whom the sender sees, and say how many it has seen; where that is another number by
now, nothing begins. What reaches far, or takes something from customers, is confirmed before: a slip
of the hand must not disable everybody. What is confirmed is done with the very customers it was said of: where one
joined the filters meanwhile and another left, it is asked again. A dry run changes nothing and needs no confirmation.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select, text

from chassis import jobs
from chassis.database import Transaction
from chassis.http import confirmations
from chassis.http.confirmations import ConsequenceView, Effect
from chassis.jobs import JobKind, reach
from chassis.jobs.reach import BulkPolicy
from chassis.jobs.starting import Items
from chassis.jobs.tables import Job
from customers.bulk.deeds import DELETE, DISABLE, UNLINK
from customers.errors.bulk import SelectionChanged
from customers.rules import policies
from customers.rules.selecting import Filters, seen_by
from customers.tables.customers import LIVING, Customer

_TAKES: Final = {
    DISABLE.name: ("customers_disabled", "customers are disabled and their users signed out.", False),
    UNLINK.name: ("customers_lost", "customers are not yours any more; their tags are lost, and licences under your programme end.", True),
    DELETE.name: ("customers_deleted", "customers are deleted, and purged when the policy's retention is over.", True),
}
"""Deeds that take something from customers, and what is said of it behind their number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """All that filters leave, of whom the sender was shown so many."""

    filters: Filters
    expected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StartBulk:
    """``selection`` are ids, or what was shown of filters.

    ``customers`` is the number that the sender says it means, ``confirmation`` that of what was shown to it.
    """

    kind: JobKind
    selection: Sequence[UUID] | Shown
    params: dict[str, Any] = field(default_factory=dict)
    dry_run: bool = False
    customers: int | None = None
    confirmation: str | None = None


async def start(tx: Transaction, command: StartBulk) -> Job:
    """Begin to do it with each of the customers.

    Raises:
        TooManyItems: one job does not take so many.
        SelectionChanged: the filters leave another number of customers than was seen.
        TooFarReaching: the number must be confirmed by whoever sends so many.
        ConfirmationNeeded: nobody has confirmed what it does.
    """
    items, expected = _meant(tx, command)
    job = await jobs.start(tx, command.kind, items, params=command.params, dry_run=command.dry_run)
    if expected not in {None, job.total}:
        raise SelectionChanged(expected=expected, customers=job.total)
    if not command.dry_run:
        await _admit_reach(tx, job.total, command.customers)
        if command.kind.name in _TAKES:
            confirmations.require(command.confirmation, await _effect(tx, command.kind, job))
    return job


def _meant(tx: Transaction, command: StartBulk) -> tuple[Items, int | None]:
    if isinstance(command.selection, Shown):
        return seen_by(tx, command.selection.filters), command.selection.expected
    return command.selection, None


async def _admit_reach(tx: Transaction, customers: int, confirmed: int | None) -> None:
    everybody = select(func.count()).select_from(Customer).where(Customer.partner_id == tx.partner_id, text(LIVING))
    limits = await policies.in_force(tx, BulkPolicy)
    await reach.admit(limits, customers, confirmed=confirmed, count_all=lambda: tx.session.scalar(everybody))


async def _effect(tx: Transaction, kind: JobKind, job: Job) -> Effect:
    code, what, irreversible = _TAKES[kind.name]
    consequence = ConsequenceView(code=code, detail=f"{job.total} {what}", irreversible=irreversible)
    among = await jobs.digest(tx, job)
    return Effect(verb=kind.name, of=tx.partner_id, version=job.total, consequences=[consequence], among=among)
