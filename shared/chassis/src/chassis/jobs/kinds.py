"""Kinds of jobs: what is done with one item, and who may have it done."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chassis.access.permissions import Permission
from chassis.database.transaction import Transaction
from chassis.errors import Kind, Refusal


class TooManyItems(Refusal):
    """One job does not take so many at once."""

    kind = Kind.INVALID
    code = "too_many_items"
    remedy = "Choose fewer, or start several jobs."
    rule = "BEY-13"


class JobNotFound(Refusal):
    """There is no such job."""

    kind = Kind.NOT_FOUND
    code = "job_not_found"
    remedy = "Check the id; a job is forgotten 30 days after it has ended."


class JobEnded(Refusal):
    """The job has ended already."""

    kind = Kind.CONFLICT
    code = "job_ended"
    remedy = "Look at what became of its items; what was done stays done."


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item of a job. ``params`` are the whole job's."""

    job_id: UUID
    number: int
    id: UUID
    params: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobKind:
    """One kind of job. Its name begins with its service's: ``customers.disable``.

    Without ``perform`` nobody works its items off: it is carried on by what its service is told
    (``starting.open_job``). ``perform`` does one item in a partner's transaction, in the name of whoever started the job. A
    ``Refusal`` is the item's outcome and no other's; ``chassis.due.Retry`` lets the job wait before
    this item; what the world does to it is tried again; anything else ends the job as failed.
    ``permission`` is asked for again while it runs, and shows a job to others who have it. Where items
    are ``customers``, each must be one that the user may change. ``most`` bounds what one job takes;
    ``chunk`` is how many items are committed together.
    """

    name: str
    perform: Callable[[Transaction, Item], Awaitable[None]] | None = None
    permission: Permission | None = None
    customers: bool = False
    most: int = 10_000
    chunk: int = 200

    @property
    def service(self) -> str:
        return self.name.partition(".")[0]
