"""Jobs and what became of each of their items.

Items are numbered from 1 and worked off in this order, so the first ``succeeded + failed`` of them
have been done; nothing else says where a job stands.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import Base, TenantRow


class Job(TenantRow, Base):
    """``started_by`` and what follows it are the principal in whose name the job runs.

    ``reason`` is for everybody, ``defect`` for whoever runs the installation.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint("status in ('queued', 'running', 'done', 'failed', 'cancelled')", name="status"),
        CheckConstraint("succeeded + failed <= total", name="counts"),
        Index("jobs_ended", "ended_at"),
    )

    version: Mapped[int]
    kind: Mapped[str]
    status: Mapped[str]
    params: Mapped[dict[str, Any]]
    dry_run: Mapped[bool]
    total: Mapped[int]
    succeeded: Mapped[int]
    failed: Mapped[int]
    reason_code: Mapped[str | None]
    reason: Mapped[str | None]
    defect: Mapped[str | None]
    started_by: Mapped[UUID]
    user_kind: Mapped[str]
    user_partner_id: Mapped[UUID]
    user_gen: Mapped[int]
    correlation_id: Mapped[str | None]
    cancelled_by: Mapped[UUID | None]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]


class JobItem(Base):
    __tablename__ = "job_items"
    __table_args__ = (
        CheckConstraint("status in ('waiting', 'done', 'failed')", name="status"),
        ForeignKeyConstraint(
            ["partner_id", "job_id"], ["jobs.partner_id", "jobs.id"], name="job_items_job", onupdate="CASCADE", ondelete="CASCADE"
        ),
        Index("job_items_by_status", "partner_id", "job_id", "status", "number"),
    )

    partner_id: Mapped[UUID] = mapped_column(primary_key=True)
    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[UUID]
    status: Mapped[str]
    code: Mapped[str | None]
    detail: Mapped[str | None]
    remedy: Mapped[str | None]
    rule: Mapped[str | None]
