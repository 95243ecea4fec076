"""Clocks of sandbox partners, as this service knows them: only a sandbox has a row.

Business time is real time plus ``ahead``; while a clock is moved on it stands at ``standing_at``,
tick by tick. What a sandbox's transactions tell is counted here with them, and how far the outbox
had come by then (``mark``), so that it can be said when nothing of it is on its way any more.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import BigInteger, Column, DateTime, Index, Interval, Table, Uuid, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.tables import Base
from contracts.any.audit import AuditRecorded
from contracts.any.clocks import PartnerClockReached
from contracts.customers.clocks import PartnerClockAdvanced
from contracts.envelope import Envelope

_ASIDE: Final = frozenset({PartnerClockAdvanced.topic, PartnerClockReached.topic, AuditRecorded.topic})
"""What is told about the clock itself, and about who looked at what: nobody does anything because of it."""


def _count(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0")


clocks: Final = Table(
    "clocks",
    Base.metadata,
    Column("partner_id", Uuid, primary_key=True),
    Column("ahead", Interval, nullable=False, server_default="0"),
    Column("standing_at", DateTime(timezone=True)),
    _count("tick"),
    _count("version"),
    _count("answered"),
    _count("told"),
    _count("told_before"),
    _count("mark"),
    Index("clocks_unanswered", "partner_id", postgresql_where=text("answered < version")),
)

_KNOW: Final = text("""
insert into clocks as known (partner_id, ahead)
select p, make_interval(secs => s) from unnest(cast(:partners as uuid[]), cast(:seconds as float8[])) as u(p, s) order by p
on conflict (partner_id) do update set ahead = excluded.ahead where known.ahead < excluded.ahead
""")
_COUNT: Final = text("select door.clock_told(cast(:partners as uuid[]), cast(:counts as bigint[]))")


class PartnerClock(msgspec.Struct, frozen=True, gc=False):
    """The clock of a sandbox partner."""

    ahead: timedelta = timedelta()
    standing_at: datetime | None = None

    def now(self, real_now: datetime) -> datetime:
        """Business time."""
        return self.standing_at or real_now + self.ahead


def clock_of(row: Any) -> PartnerClock | None:
    """The clock that ``door.clock_of`` answered, joined to one row; None for who is no sandbox."""
    return None if row["ahead"] is None else PartnerClock(ahead=row["ahead"], standing_at=row["standing_at"])


async def of(session: AsyncSession, partner_ids: Collection[UUID]) -> dict[UUID, PartnerClock]:
    """The clocks of those among some partners that are sandboxes. For workers."""
    c = clocks.c
    rows = await session.execute(select(c.partner_id, c.ahead, c.standing_at).where(c.partner_id.in_(set(partner_ids))))
    return {partner_id: PartnerClock(ahead=ahead, standing_at=standing_at) for partner_id, ahead, standing_at in rows}


async def begin(session: AsyncSession, partner_id: UUID) -> None:
    """Give a partner that is just being founded a clock of its own, which begins with real time."""
    await session.execute(insert(clocks).inline().values(partner_id=partner_id))


async def know(session: AsyncSession, ahead_seconds: Mapping[UUID, float]) -> None:
    """Note sandbox partners, and how far they are ahead at least."""
    if ahead_seconds:
        await session.execute(_KNOW, {"partners": list(ahead_seconds), "seconds": list(ahead_seconds.values())})


async def count(session: AsyncSession, told: Sequence[Envelope]) -> None:
    """Count what sandbox partners' records a transaction has put into the outbox."""
    counts = Counter(one.partner_id for one in told if one.sandbox and one.type not in _ASIDE)
    if counts:
        await session.execute(_COUNT, {"partners": list(counts), "counts": list(counts.values())})
