"""Planning: what a service will do, as a row in the transaction that made it necessary, unique per subject and slot."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Text, UniqueConstraint, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from chassis.database.tables import Base, TenantRow
from chassis.database.transaction import Transaction


class DueRow(TenantRow, Base):
    __tablename__ = "due"
    __table_args__ = (UniqueConstraint("partner_id", "kind", "subject", "slot", name="due_once_per_slot"),)

    kind: Mapped[str]
    subject: Mapped[UUID]
    slot: Mapped[str]
    due_at: Mapped[datetime]
    retry_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    payload: Mapped[dict[str, Any]]
    last_error: Mapped[str | None] = mapped_column(Text)
    traceparent: Mapped[str | None]
    sandbox: Mapped[bool] = mapped_column(default=False)


async def plan(  # noqa: PLR0913 (all that is known of a piece of work)
    tx: Transaction,
    kind: str,
    subject: UUID,
    *,
    slot: str,
    at: datetime,
    payload: dict[str, Any] | None = None,
    wait: timedelta = timedelta(),
) -> None:
    """Plan work for one subject at a business time, and not before it has waited, in real time.

    Planning the same slot again moves it to the new time.
    """
    row = insert(DueRow).values(
        partner_id=tx.partner_id,
        id=tx.new_id(),
        kind=kind,
        subject=subject,
        slot=slot,
        due_at=at,
        retry_at=(tx.real_now if tx.sandbox else at) + wait,
        payload=payload or {},
        traceparent=tx.traceparent,
        sandbox=tx.sandbox,
    )
    moved = {column: row.excluded[column] for column in ("due_at", "retry_at", "payload", "traceparent", "sandbox")}
    await tx.session.execute(row.on_conflict_do_update(constraint="due_once_per_slot", set_=moved | {"attempts": 0}))


async def withdraw(tx: Transaction, kind: str, subject: UUID) -> bool:
    """Take planned work back, and say whether there was any; what is not planned any more changes nothing.

    Work that somebody has in hand at this moment is left to him: whoever does it looks at how
    things are then. Waiting for it here would be waiting in a circle, because it waits for the subject.
    """
    planned = select(DueRow.id).where(DueRow.partner_id == tx.partner_id, DueRow.kind == kind, DueRow.subject == subject)
    free = (await tx.session.scalars(planned.with_for_update(skip_locked=True))).all()
    await tx.session.execute(delete(DueRow).where(DueRow.partner_id == tx.partner_id, DueRow.id.in_(free)))
    return bool(free)
