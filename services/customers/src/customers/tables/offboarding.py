"""How customers go: the deletion of each, what services have erased of it, its move, and the stages that are planned (C-2, MKT-02, MKT-19).

A deletion outlives its customer, of which nothing else is left: it holds ids and counts. So does a move at the partner that is left.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKeyConstraint, Index, Text, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import Base, TenantRow, Versioned

DELETIONS = ("asked", "blocked", "withdrawn", "deleted", "restored", "purging", "purged")
MOVES = ("asked", "moved", "called_off")
STAGES = ("planned", "held", "done", "stopped", "refused")


class Deletion(TenantRow, Versioned, Base):
    """The last deletion of the customer that ``id`` names. ``was`` is the customer's status before it.

    ``asked_version`` is the customer's version that asked for clearance, ``purged_version`` its last one;
    its users and the requests for it, imports and drafts, are forgotten with it. ``data_region`` is known once it is purged.
    """

    __tablename__ = "deletions"
    __table_args__ = (
        CheckConstraint(f"status in {DELETIONS}", name="status"),
        CheckConstraint("(status in ('purging', 'purged')) = (purged_version is not null)", name="purged_has_a_version"),
        Index("deletions_by_time", "partner_id", "asked_at", "id"),
    )

    status: Mapped[str]
    was: Mapped[str]
    asked_by: Mapped[UUID | None]
    asked_at: Mapped[datetime]
    asked_version: Mapped[int]
    policy_version: Mapped[int]
    job_id: Mapped[UUID | None]
    stage_id: Mapped[UUID | None]
    in_the_way: Mapped[list[dict[str, Any]]]
    deleted_at: Mapped[datetime | None]
    recoverable_until: Mapped[datetime | None]
    purged_at: Mapped[datetime | None]
    purged_version: Mapped[int | None]
    data_region: Mapped[str] = mapped_column(default="default", server_default="default")
    user_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    request_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), default=list, server_default="{}")


class Erasure(Base):
    """What a service has said that it erased of a customer."""

    __tablename__ = "erasures"
    __table_args__ = (
        ForeignKeyConstraint(
            ["partner_id", "customer_id"], ["deletions.partner_id", "deletions.id"], name="erasures_deletion", ondelete="CASCADE"
        ),
    )

    partner_id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[UUID] = mapped_column(primary_key=True)
    service: Mapped[str] = mapped_column(primary_key=True)
    counts: Mapped[dict[str, Any]]
    answered_at: Mapped[datetime]


class Move(TenantRow, Versioned, Base):
    """The last move of the customer that ``id`` names, kept with the partner that it left, or was to leave.

    ``asked_version`` is the customer's version that asks the services to keep still; ``until`` is real time. ``code`` says why it was
    called off.
    """

    __tablename__ = "moves"
    __table_args__ = (
        CheckConstraint(f"status in {MOVES}", name="status"),
        CheckConstraint("(status = 'asked') = (ended_at is null)", name="over_has_a_time"),
    )

    status: Mapped[str]
    to_partner_id: Mapped[UUID]
    asked_at: Mapped[datetime]
    asked_version: Mapped[int]
    until: Mapped[datetime]
    job_id: Mapped[UUID]
    ended_at: Mapped[datetime | None]
    code: Mapped[str | None]


class Release(Base):
    """A service keeps still about a customer that is being moved."""

    __tablename__ = "releases"
    __table_args__ = (
        ForeignKeyConstraint(["partner_id", "customer_id"], ["moves.partner_id", "moves.id"], name="releases_move", ondelete="CASCADE"),
    )

    partner_id: Mapped[UUID] = mapped_column(primary_key=True)
    customer_id: Mapped[UUID] = mapped_column(primary_key=True)
    service: Mapped[str] = mapped_column(primary_key=True)
    answered_at: Mapped[datetime]


class Stage(TenantRow, Versioned, Base):
    """What is done with a customer at a business time, unless it is stopped before.

    ``notices`` are how long before it is announced (``P3D``); ``checklist`` is what is to be done by then,
    ``{"text", "done"}`` each: with something open the stage is held until it is done.
    """

    __tablename__ = "stages"
    __table_args__ = (
        CheckConstraint("verb in ('disable', 'delete')", name="verb"),
        CheckConstraint(f"status in {STAGES}", name="status"),
        ForeignKeyConstraint(
            ["partner_id", "customer_id"],
            ["customers.partner_id", "customers.id"],
            name="stages_customer",
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        Index("stages_one_open", "partner_id", "customer_id", "verb", unique=True, postgresql_where=text("status in ('planned', 'held')")),
        Index("stages_by_time", "partner_id", "at", "id"),
    )

    customer_id: Mapped[UUID]
    verb: Mapped[str]
    status: Mapped[str]
    at: Mapped[datetime]
    notices: Mapped[list[str]] = mapped_column(ARRAY(Text))
    checklist: Mapped[list[dict[str, Any]]]
    planned_by: Mapped[UUID]
    refused_with: Mapped[str | None]
    updated_at: Mapped[datetime]
