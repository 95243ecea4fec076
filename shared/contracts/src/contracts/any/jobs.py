"""Jobs: long work that somebody asked for, when it has ended."""

from typing import ClassVar, Literal
from uuid import UUID

from contracts.records import Fact, Part

type JobEnd = Literal["done", "failed", "cancelled"]


class ItemRefused(Part):
    """One item that was refused; ``code`` is the problem's."""

    item: UUID
    code: str


class JobFinished(Fact):
    """A job has ended: how, and what became of its items.

    ``refused`` names at most a thousand of those that failed; ``failed`` counts all.
    ``reason`` says why a job ended before its last item.
    """

    topic: ClassVar[str] = "job.finished"
    aggregate: ClassVar[str] = "job"
    kind: str
    status: JobEnd
    reason: str | None
    dry_run: bool
    started_by: UUID
    total: int
    succeeded: int
    failed: int
    refused: list[ItemRefused]
