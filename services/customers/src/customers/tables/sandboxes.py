"""Sandboxes: the clocks of partners for play, and what services have answered to their ticks."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import Base, TenantRow, Versioned


class Sandbox(TenantRow, Versioned, Base):
    """While its clock is moved on, it stands at ``standing_at`` on its way to ``until``.

    ``version`` counts what was told of the clock: each asking of a tick, and each end of an advance.
    """

    __tablename__ = "sandboxes"
    __table_args__ = (
        CheckConstraint("partner_id = id", name="of_the_partner"),
        CheckConstraint("num_nulls(standing_at, until, job_id) in (0, 3)", name="moves_or_not"),
        ForeignKeyConstraint(["partner_id"], ["partners.id"], name="sandboxes_partner"),
    )

    tick: Mapped[int] = mapped_column(default=0)
    ahead: Mapped[timedelta] = mapped_column(default=timedelta())
    standing_at: Mapped[datetime | None]
    until: Mapped[datetime | None]
    job_id: Mapped[UUID | None]


class ClockAnswer(Base):
    """A service's last answer, to the asking of this ``version``."""

    __tablename__ = "clock_answers"
    __table_args__ = (ForeignKeyConstraint(["partner_id"], ["partners.id"], name="clock_answers_partner"),)

    partner_id: Mapped[UUID] = mapped_column(primary_key=True)
    service: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    told: Mapped[int]
    next_due: Mapped[datetime | None]
