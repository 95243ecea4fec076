"""Stages as they are shown: all that were ever planned for a customer, the next one first."""

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from chassis.database import Read
from chassis.http.lists import Listing, Paged, Sorts, Wanted
from chassis.http.views import Stored, View
from contracts.records import Part
from customers.tables.offboarding import Stage


class TaskView(Part):
    """Something that is to be done before a stage."""

    text: str
    done: bool


class StageView(View, frozen=True, kw_only=True):
    """A stage: what is done `at` a time, unless it is stopped before. `notices` are how long before it is announced.

    It is `held` while something of its checklist is open although its time has come; `refused_with` is the code with which it was refused.
    """

    id: UUID
    version: int
    customer_id: UUID
    verb: Literal["disable", "delete"]
    status: Literal["planned", "held", "done", "stopped", "refused"]
    at: datetime
    notices: list[str]
    checklist: Stored[list[TaskView]]
    refused_with: str | None


_STAGES: Final = Paged(Stage, StageView, Sorts({"at": ("at", datetime)}, default="at", last=("id", UUID)), customer="customer_id")


async def page(read: Read, customer_id: UUID, wanted: Wanted) -> Listing[StageView]:
    """One page of a customer's stages."""
    return await _STAGES.page(read, wanted, customer_id=customer_id)
