"""Sandboxes: partners for play, whose clocks their own people and operators move on (BEY-11).

An advance goes tick by tick: the clock stands at one business time until every service has
answered a whole round of asking with *I told nothing*, and only then goes on to what is due next,
in whichever service that is. So nothing happens out of order. It is carried on by the answers
themselves, each in its own transaction: whatever is killed meanwhile, the next answer goes on.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm.attributes import flag_modified

from chassis.access.permissions import Permission
from chassis.consumers import Event
from chassis.database import Read, Reading, Transaction
from chassis.http.views import View
from chassis.jobs import JobKind, ending, starting
from chassis.jobs.tables import Job
from contracts.any.clocks import PartnerClockReached
from contracts.customers.clocks import FOLLOWERS, PartnerClockAdvanced
from customers.errors import ClockInMotion, ClockOnlyForward, ClockTooFar, NotASandbox, PartnerNotFound
from customers.rules.telling import tell_partner
from customers.tables.partners import Partner
from customers.tables.sandboxes import ClockAnswer, Sandbox

LONGEST: Final = timedelta(days=3653)
"""Ten years: the furthest that one advance goes."""

ADVANCE: Final = JobKind(name="customers.clock_advance", permission=Permission.PARTNER_MANAGE)
"""Its items are ticks; how many there will be shows only while it is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvanceClock:
    """To an instant of business time, or by so much; one of them."""

    until: datetime | None = None
    by: timedelta | None = None


async def advance(tx: Transaction, command: AdvanceClock) -> Job:
    """Begin to move the clock of the partner whose transaction this is.

    Raises:
        NotASandbox: its time is real.
        ClockInMotion: it is being moved on already.
        ClockOnlyForward: that time is over.
        ClockTooFar: that is more than ten years ahead.
    """
    sandbox = await _held(tx)
    if sandbox is None:
        raise NotASandbox
    if sandbox.job_id is not None:
        raise ClockInMotion(job_id=str(sandbox.job_id))
    until = _until(tx.now, command)
    job = await starting.open_job(tx, ADVANCE, params={"until": until.isoformat()})
    job.status, job.started_at, job.total = "running", tx.real_now, 1
    sandbox.standing_at, sandbox.until, sandbox.job_id = tx.now, until, job.id
    sandbox.tick += 1
    await _tell(tx, sandbox)
    return job


def _until(now: datetime, command: AdvanceClock) -> datetime:
    if command.by is not None and command.by > LONGEST:
        raise ClockTooFar(errors=[ClockTooFar.at("/by")])
    until = now + command.by if command.by is not None else command.until
    pointer = "/until" if command.by is None else "/by"
    if until is None or until <= now:
        raise ClockOnlyForward(f"It is {now.isoformat()} there.", errors=[ClockOnlyForward.at(pointer)])
    if until - now > LONGEST:
        raise ClockTooFar(errors=[ClockTooFar.at(pointer)])
    return until


async def hear(tx: Transaction, event: Event[PartnerClockReached]) -> None:
    """A service has worked off a tick; when all have, the clock goes on. Answers to an earlier asking change nothing."""
    sandbox = await _held(tx)
    if sandbox is None or sandbox.job_id is None or event.envelope.aggregate_version != sandbox.version:
        return
    answers = await _note(tx, event.record, sandbox.version)
    if {answer.service for answer in answers} < FOLLOWERS:
        return
    job = await tx.session.get_one(Job, (tx.partner_id, sandbox.job_id), with_for_update=True)
    if job.cancelled_by is not None:
        await _run_on(tx, sandbox)
        await ending.cancel(tx, job)
    elif any(answer.told for answer in answers):
        await _tell(tx, sandbox)
    else:
        await _next_tick(tx, sandbox, job, [answer.next_due for answer in answers if answer.next_due is not None])


async def _next_tick(tx: Transaction, sandbox: Sandbox, job: Job, next_dues: list[datetime]) -> None:
    job.succeeded += 1
    if sandbox.standing_at == sandbox.until:
        await _run_on(tx, sandbox)
        await ending.finish(tx, job, "done")
        return
    sandbox.standing_at = min(one for one in (*next_dues, sandbox.until) if one is not None)
    sandbox.tick += 1
    job.total += 1
    job.version += 1
    await _tell(tx, sandbox)


async def _run_on(tx: Transaction, sandbox: Sandbox) -> None:
    """The clock runs on from where it stands; the partner's state says how far ahead that is."""
    reached = sandbox.standing_at or tx.now
    sandbox.ahead = max(sandbox.ahead, reached - tx.real_now)
    sandbox.standing_at = sandbox.until = sandbox.job_id = None
    await _tell(tx, sandbox, reached)
    partner = await tx.session.get_one(Partner, (tx.partner_id, tx.partner_id), with_for_update=True)
    partner.ahead_seconds = sandbox.ahead.total_seconds()
    await tx.session.flush()
    tell_partner(tx, partner)


async def _tell(tx: Transaction, sandbox: Sandbox, reached: datetime | None = None) -> None:
    """Tell where the clock stands, anew if need be, or that it runs on from what it has ``reached``."""
    flag_modified(sandbox, "tick")
    await tx.session.flush()
    standing = sandbox.standing_at
    fact = PartnerClockAdvanced(tick=sandbox.tick, until=standing or reached or tx.now, standing=standing is not None)
    tx.tell(fact, about=tx.entity("clock", sandbox.id, version=sandbox.version))


async def _note(tx: Transaction, said: PartnerClockReached, version: int) -> list[ClockAnswer]:
    """Write an answer down, and give all those to the present asking."""
    values = {"version": version, "told": said.told, "next_due": said.next_due}
    answer = insert(ClockAnswer).values(partner_id=tx.partner_id, service=said.service, **values)
    await tx.session.execute(answer.on_conflict_do_update(index_elements=["partner_id", "service"], set_=values))
    given = select(ClockAnswer).where(ClockAnswer.partner_id == tx.partner_id, ClockAnswer.version == version)
    return [*await tx.session.scalars(given, execution_options={"populate_existing": True})]


async def _held(tx: Transaction) -> Sandbox | None:
    """The partner's sandbox, held until the end: answers are heard one by one."""
    held = select(Sandbox).where(Sandbox.partner_id == tx.partner_id).with_for_update()
    return (await tx.session.scalars(held, execution_options={"populate_existing": True})).one_or_none()


class SandboxClockView(View, frozen=True, kw_only=True):
    """The clock of a sandbox. While it is moved on it stands, tick by tick, and `waiting_for` names who has not answered yet."""

    partner_id: UUID
    version: int
    now: datetime
    ahead_seconds: float
    standing: bool
    tick: int
    until: datetime | None
    job_id: UUID | None
    waiting_for: list[str]


_KIND: Final = Reading(Partner, lambda r, _shape: select(r.c.sandbox).where(r.c.id == bindparam("id")))
_ONE: Final = Reading(Sandbox, lambda r, _shape: select(r).where(r.c.id == bindparam("id")))
_ANSWERS: Final = Reading(
    ClockAnswer,
    lambda r, _shape: select(r.c.service).where(r.c.partner_id == bindparam("id"), r.c.version == bindparam("version")),
)


async def clock(read: Read, partner_id: UUID) -> SandboxClockView:
    """How late it is in a sandbox.

    Raises:
        PartnerNotFound: there is none that the reader sees.
        NotASandbox: its time is real.
    """
    if await read.row(_KIND, id=partner_id) is None:
        raise PartnerNotFound
    row = await read.row(_ONE, id=partner_id)
    if row is None:
        raise NotASandbox
    answered = {one["service"] for one in await read.rows(_ANSWERS, id=partner_id, version=row["version"])}
    return _view(row, read.real_now, FOLLOWERS - answered)


def _view(row: Any, real_now: datetime, silent: frozenset[str]) -> SandboxClockView:
    standing = row["standing_at"]
    return SandboxClockView.of(
        row,
        now=standing or real_now + row["ahead"],
        ahead_seconds=row["ahead"].total_seconds(),
        standing=standing is not None,
        waiting_for=sorted(silent) if standing else [],
    )
