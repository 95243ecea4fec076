"""The outage brake: poison comes alone; what comes in crowds is an outage dressed as poison.

Reports of programs outside the suite do not count: one that tells nonsense must not stop what all others tell.

More than 100 records parked within a minute, or more than 5 % of a topic's (and more than ten),
stop the consumer before they are committed. It goes on when somebody releases it, or when it is
started again, with mended code.
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import Column, DateTime, Index, Integer, Table, Text, Uuid, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.consumers.events import Place
from chassis.database.tables import Base
from chassis.ids import new_id

ALLOWANCE: Final = 1000
"""Records that may be parked after a release, unless whoever releases says otherwise."""
_WINDOW: Final = 60
"""Seconds."""

brakes: Final = Table(
    "brakes",
    Base.metadata,
    Column("id", Uuid, primary_key=True),
    Column("consumer", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("engaged_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("released_at", DateTime(timezone=True)),
    Column("released_by", Text),
    Column("released_because", Text),
    Column("allowance", Integer, nullable=False, server_default="0"),
    Column("slot", Text),
    Index("brakes_one_open", "consumer", unique=True, postgresql_where=text("released_at is null")),
)


class Braked(Exception):
    """Too many records would be parked: the batch is undone, and the consumer stops."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    parked: int = 100
    share: float = 0.05
    """Of one topic's records; counts only above ``least`` records parked."""
    least: int = 10


class Window:
    """Records by topic within the last minute, counted by the second: it stays as small however many batches come."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seconds: deque[tuple[int, Counter[str]]] = deque()

    def __len__(self) -> int:
        return len(self._seconds)

    def add(self, records: Counter[str]) -> None:
        second = int(self._clock())
        if not self._seconds or self._seconds[-1][0] != second:
            self._forget(second)
            self._seconds.append((second, Counter()))
        self._seconds[-1][1].update(records)

    def total(self) -> Counter[str]:
        self._forget(int(self._clock()))
        total: Counter[str] = Counter()
        for _, records in self._seconds:
            total.update(records)
        return total

    def clear(self) -> None:
        self._seconds.clear()

    def _forget(self, now: int) -> None:
        while self._seconds and self._seconds[0][0] < now - _WINDOW:
            self._seconds.popleft()


class Brake:
    """Counts, in one worker, what was read and what was parked within the last minute."""

    def __init__(self, limits: Limits = Limits(), *, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._read = Window(clock)
        self._parked = Window(clock)
        self._counted: dict[tuple[str, int], int] = {}
        self._allowance = 0

    def begin(self, places: Mapping[tuple[str, int], int]) -> None:
        """Partitions are read from these offsets on; what was read before and comes again counts again."""
        self._counted = dict(places)

    def saw(self, places: Iterable[Place]) -> None:
        """Count what was read; a batch that is tried again counts once."""
        seen: Counter[str] = Counter()
        for place in places:
            if place.offset >= self._counted.get((place.topic, place.partition), 0):
                self._counted[place.topic, place.partition] = place.offset + 1
                seen[place.topic] += 1
        if seen:
            self._read.add(seen)

    def check(self, parked: Iterable[Place]) -> None:
        """Before the commit of a batch that parks these.

        Raises:
            Braked: it would be too many.
        """
        now = Counter(place.topic for place in set(parked))
        if not now or now.total() <= self._allowance:
            return
        before, read = self._parked.total(), self._read.total()
        total = before.total() + now.total()
        if total > self._limits.parked:
            raise Braked(f"{total} records would be parked within a minute")
        for topic, count in now.items():
            of_topic = before[topic] + count
            if of_topic > max(self._limits.least, self._limits.share * read[topic]):
                raise Braked(f"{of_topic} of {read[topic]} records of {topic} would be parked within a minute")

    def parked(self, places: Iterable[Place]) -> None:
        """Count what was parked, after the commit."""
        now = Counter(place.topic for place in set(places))
        allowed = min(self._allowance, now.total())
        self._allowance -= allowed
        if now.total() > allowed:
            self._parked.add(now)

    def release(self, allowance: int) -> None:
        """Begin anew; that many records may be parked before counting begins."""
        self._parked.clear()
        self._allowance = allowance


async def engage(session: AsyncSession, consumer: str, slot: str, reason: str) -> UUID:
    """Note that the worker of a slot stopped the consumer; the brake that stands already is answered where there is one."""
    await session.execute(insert(brakes).values(id=new_id(), consumer=consumer, slot=slot, reason=reason).on_conflict_do_nothing())
    standing = select(brakes.c.id).where(brakes.c.consumer == consumer, brakes.c.released_at.is_(None))
    brake_id: UUID = (await session.execute(standing)).scalar_one()
    return brake_id


async def released(session: AsyncSession, brake_id: UUID) -> int | None:
    """How many records may be parked since the release; None while it stands."""
    row = (await session.execute(select(brakes.c.released_at, brakes.c.allowance).where(brakes.c.id == brake_id))).one_or_none()
    return None if row is None or row.released_at is None else int(row.allowance)


async def release(
    session: AsyncSession, consumer: str, *, by: str, because: str, allowance: int = ALLOWANCE, slot: str | None = None
) -> bool:
    """Let a stopped consumer go on; with a ``slot``, only if that worker stopped it. Answers False where none stood."""
    c = brakes.c
    wanted = update(brakes).where(c.consumer == consumer, c.released_at.is_(None)).returning(c.id)
    if slot is not None:
        wanted = wanted.where(c.slot == slot)
    values = {"released_at": func.now(), "released_by": by, "released_because": because, "allowance": allowance}
    return (await session.execute(wanted.values(values))).scalar_one_or_none() is not None
