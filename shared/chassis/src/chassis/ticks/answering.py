"""Answering ticks: this service has worked off what is due, and has nothing of the partner on its way.

An answer is given when three things hold. Whatever stood in the topics that are followed when
the tick came has taken effect; nothing is due by the tick, nor in hand; and everything that was
told has been published. It says how much was told since the last answer. So when all services
answer one round with nothing, there was nothing on its way when the round began, nothing has
come since, and nothing will: each had read all there was, and nobody has said more.
"""

from collections.abc import Sequence
from typing import Any, Final, override
from uuid import UUID

from sqlalchemy import Row, text

from chassis.clock import Clock
from chassis.consumers.handlers import Consumer
from chassis.database.worker import Work, WorkerDatabase
from chassis.failures import OUTSIDE
from chassis.loops import Periodic
from chassis.ticks.ends import Ends, Log
from contracts.any.clocks import PartnerClockReached

_IDLE: Final = 0.1
_BUSY: Final = 0.02
_LINGER: Final = 50
"""Looks after an answer that are as close together as when there is something to answer: the next tick comes soon."""

_OPEN: Final = text("select partner_id, version from clocks where answered < version order by partner_id")
_HELD: Final = text("""
select partner_id, standing_at, tick, version, told - told_before as told, mark from clocks
 where partner_id = :partner_id and version = :version and answered < version
   for update skip locked
""")
_BUSY_WITH: Final = text("""
select exists (select from due where sandbox and partner_id = :partner_id and due_at <= :standing_at)
    or exists (select from outbox where id <= :mark and lane < 3) as busy,
       (select min(due_at) from due where sandbox and partner_id = :partner_id and due_at > :standing_at) as next_due
""")
_ANSWERED: Final = text("update clocks set answered = version, told_before = told where partner_id = :partner_id")
_FENCES: Final = text("select consumer, topic, partition, next_offset from fences where consumer = any(:groups)")

type Round = tuple[UUID, int]
"""One asking: the partner and the version of its clock."""


class Answering(Periodic):
    """Answers the ticks of one service until it is stopped. Several workers may: each tick is answered once."""

    def __init__(
        self, service: str, consumers: Sequence[Consumer], database: WorkerDatabase, clock: Clock, *, kafka: str, prefix: str
    ) -> None:
        super().__init__("ticks", _IDLE)
        self._service = service
        self._database = database
        self._clock = clock
        self._follows = {one.group: {prefix + topic for topic in one.topics()} for one in consumers}
        self._log = Log(set().union(*self._follows.values()), kafka=kafka, client_id=f"{service}-ticks")
        self._ends: dict[Round, Ends] = {}
        self._linger = 0

    @override
    async def run(self) -> None:
        try:
            await super().run()
        finally:
            await self.close()

    async def close(self) -> None:
        """Let the connection to the log go."""
        await self._log.close()

    async def look(self) -> int:
        """Look once; answers how many ticks are still unanswered."""
        had, left = bool(self._ends), 0
        try:
            left = await self._answer_all()
            await self._log.rest()
        except OUTSIDE:
            had = False
            self._linger = 0
            await self.close()
            raise
        finally:
            self._linger = _LINGER if left or had else max(0, self._linger - 1)
            self.seconds = _BUSY if self._linger else _IDLE
        return left

    async def _answer_all(self) -> int:
        async with self._database.work() as work:
            rounds: list[Round] = [tuple(row) for row in await work.session.execute(_OPEN)]
        self._ends = {one: ends for one, ends in self._ends.items() if one in rounds}
        if new := [one for one in rounds if one not in self._ends]:
            self._ends |= dict.fromkeys(new, await self._log.ends())
        if rounds:
            reached = await self._reached()
            rounds = [one for one in rounds if not (self._has_read(self._ends[one], reached) and await self._answer(*one))]
        return len(rounds)

    async def _reached(self) -> dict[tuple[str, str, int], int]:
        async with self._database.work() as work:
            rows = await work.session.execute(_FENCES, {"groups": list(self._follows)})
            return {(group, topic, partition): offset for group, topic, partition, offset in rows}

    def _has_read(self, ends: Ends, reached: dict[tuple[str, str, int], int]) -> bool:
        expected = [((group, *place), end) for place, end in ends.items() for group in self._readers_of(place[0])]
        return all(reached.get(place, 0) >= end for place, end in expected)

    def _readers_of(self, topic: str) -> list[str]:
        return [group for group, topics in self._follows.items() if topic in topics]

    async def _answer(self, partner_id: UUID, version: int) -> bool:
        async with self._database.work() as work:
            held = (await work.session.execute(_HELD, {"partner_id": partner_id, "version": version})).one_or_none()
            return held is not None and await self._tell(work, held)

    async def _tell(self, work: Work, clock: Row[Any]) -> bool:
        about = {"partner_id": clock.partner_id, "standing_at": clock.standing_at, "mark": clock.mark}
        now = (await work.session.execute(_BUSY_WITH, about)).one()
        if now.busy:
            return False
        reached = PartnerClockReached(tick=clock.tick, service=self._service, told=clock.told, next_due=now.next_due)
        async with work.item(clock.partner_id, at=clock.standing_at) as tx:
            tx.tell(reached, about=tx.entity("clock", clock.partner_id, version=clock.version))
        await work.session.execute(_ANSWERED, {"partner_id": clock.partner_id})
        return True
