"""A partner's unit of work: what a feature changes, and what it tells of it.

A fact is told in the transaction that made it true, and there is no other way to publish.
What was told is written to the outbox as the transaction's last statement, in one go.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database import audit, clocks, watching
from chassis.database.audit import Entry, Subject
from chassis.database.outbox import About, Lane, Told, say
from chassis.ids import new_id
from chassis.principal import Principal
from contracts.envelope import Envelope
from contracts.records import Ending, Fact, Record, schema_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a transaction says of itself in everything it tells, and of whoever asked in the audit."""

    source: str
    real_now: datetime
    correlation_id: str | None = None
    causation_id: str | None = None
    traceparent: str | None = None
    sandbox: bool = False
    lane: Lane = Lane.USUAL
    operation: str = "unnamed"
    address: str | None = None


class Transaction:
    """One partner's unit of work. Features take this and nothing else.

    ``partner_id`` is the only tenant there is; ``now`` is business time (a sandbox partner lives
    ahead of real time, ``real_now``); ``principal`` is who asks, None when an event or the clock does.
    ``lane`` says how soon what it tells is sent: bulk work lets everything else pass.
    """

    def __init__(
        self, session: AsyncSession, *, partner_id: UUID, now: datetime, origin: Origin, principal: Principal | None = None
    ) -> None:
        self.session: Final = session
        self.partner_id: Final = partner_id
        self.principal: Final = principal
        self.now: Final = now
        self.real_now: Final = origin.real_now
        self.correlation_id: Final = origin.correlation_id
        self.lane: Final = origin.lane
        self.traceparent: Final = origin.traceparent
        self.new_id: Final[Callable[[], UUID]] = new_id
        self.told: Final[list[Told]] = []
        self.audited: Final[list[Entry]] = []
        self._own: list[Told] = []
        self._changes = watching.watch(session, audited=principal is not None)
        self._origin = origin
        self._states: set[tuple[str, UUID, int]] = set()

    @property
    def sandbox(self) -> bool:
        """Whether the partner is a sandbox: what is told of it is play, and its work is due by its own clock."""
        return self._origin.sandbox

    @property
    def caller(self) -> UUID:
        """Who asks, for what is kept as somebody's doing.

        Raises:
            ValueError: nobody asks, and no partner stands for a person.
        """
        if self.principal is None:
            raise ValueError(f"{self._origin.operation} is done by somebody, and nobody asks")
        return self.principal.user_id

    async def found_sandbox(self) -> None:
        """Make the partner that is founded here a sandbox, for good; do so before anything is told."""
        await clocks.begin(self.session, self.partner_id)
        self._origin = replace(self._origin, sandbox=True)

    async def driver(self) -> Any:
        """The driver's own connection, in this transaction, for statements that are ready text."""
        return (await (await self.session.connection()).get_raw_connection()).driver_connection

    def entity(self, kind: str, entity_id: UUID, *, version: int, customer_id: UUID | None = None, data_region: str = "default") -> About:
        """Say whom the next records are about. Flush first: ``version`` is the one this transaction gave the entity."""
        return About(kind=kind, id=entity_id, version=version, partner_id=self.partner_id, customer_id=customer_id, data_region=data_region)

    def tell(self, record: Record | Ending, *, about: About, caused_by: Sequence[UUID] = (), urgent: bool = False) -> UUID:
        """Tell a fact, a state or the end of an entity (``State.ending``); it is published after the commit, at least once.

        What is answered is the id under which it is told, however often.
        ``urgent`` is what changes who may do what: it is sent before everything else. Records of
        partners, users and roles are so by themselves; a customer's are when its tags, partner or
        management type change.

        Raises:
            ValueError: the record is about another kind of entity, or this state version was told before.
            TooLargeToTell: no topic would take it.
        """
        if record.aggregate != about.kind:
            raise ValueError(f"{record.topic} is about a {record.aggregate}, not a {about.kind}")
        if not isinstance(record, Fact):
            self._once(about)
        event_id = self.new_id()
        causes = ",".join(map(str, caused_by)) or self._origin.causation_id
        said = say(record, about, self._envelope(event_id, record, about, causes), lane=self.lane, urgent=urgent)
        self.told.append(said)
        self._own.append(said)
        return event_id

    def note(self, subject: Subject | None = None, *, denied: str | None = None) -> None:
        """Put into the audit what nothing else shows: a sign-in, a statement of one's own, an attempt that was ``denied`` with this code.

        What was told, and what the session flushed, is audited by itself.
        """
        if self.principal is None:
            raise ValueError(f"nobody asked for {self._origin.operation}, so there is nobody to audit")
        who = self.principal
        entry = Entry(
            partner_id=self.partner_id,
            id=self.new_id(),
            at=self.real_now,
            user_id=who.user_id,
            user_kind=who.kind,
            user_partner_id=who.partner_id,
            acting_as=who.acting_as if who.acting_as != who.partner_id else None,
            operation=self._origin.operation,
            outcome="denied" if denied else "done",
            code=denied,
            subject=subject or Subject(),
            request_id=self.correlation_id,
            address=self._origin.address,
        )
        self.audited.append(entry)
        of = entry.subject
        about = self.entity("audit_entry", entry.id, version=1, customer_id=of.customer_id, data_region=of.data_region)
        record = entry.record()
        self.told.append(say(record, about, self._envelope(self.new_id(), record, about, self._origin.causation_id), lane=self.lane))

    @property
    def facts_told(self) -> list[type[Record]]:
        """The kinds of facts told so far, in order."""
        return [type(one.record) for one in self.told if isinstance(one.record, Fact)]

    @asynccontextmanager
    async def beside(self, partner_id: UUID, *, asked: bool = False) -> AsyncIterator["Transaction"]:
        """The same work in another partner's name: who changes hands is told of by both. For workers, whom no policy holds to one partner.

        ``asked`` is for what the principal has asked of both: it may note it in the other's audit.

        Raises:
            ValueError: a sandbox's time is no other partner's.
        """
        if self.sandbox:
            raise ValueError(f"what partner {self.partner_id} plays with stays in its sandbox")
        principal = self.principal if asked else None
        other = Transaction(self.session, partner_id=partner_id, now=self.now, origin=self._origin, principal=principal)
        other._states.update(self._states)
        yield other
        await self.session.flush()
        self.told.extend(other.told)
        self.audited.extend(other.audited)
        self._states.update(other._states)

    @asynccontextmanager
    async def part(
        self, *, principal: Principal | None = None, lane: Lane | None = None, **origin: str | None
    ) -> AsyncIterator["Transaction"]:
        """A part of it that may fail alone: an exception undoes what the part changed, and what it told is forgotten.

        It may be done in the name of a principal, as bulk work, and for the request that once asked for
        it (``operation``, ``correlation_id``).
        """
        said: Any = {name: value for name, value in origin.items() if value is not None} | {"lane": lane or self.lane}
        async with self.session.begin_nested():
            part = Transaction(
                self.session,
                partner_id=self.partner_id,
                now=self.now,
                origin=replace(self._origin, **said),
                principal=principal or self.principal,
            )
            part._states.update(self._states)
            with part._changes.kept_if_done():
                yield part
                await part.conclude()
        self.told.extend(part.told)
        self.audited.extend(part.audited)
        self._states.update(part._states)

    async def conclude(self) -> None:
        """Flush, and put into the audit what the principal has changed; whoever opened the transaction does it last."""
        await self.session.flush()
        if self.principal is not None:
            for subject in audit.subjects(self._own, self._changes.taken()):
                self.note(subject)

    def _once(self, about: About) -> None:
        told = (about.kind, about.id, about.version)
        if told in self._states:
            raise ValueError(f"the state of {about.kind} {about.id} was told at version {about.version} before")
        self._states.add(told)

    def _envelope(self, event_id: UUID, record: Record | Ending, about: About, causes: str | None) -> Envelope:
        return Envelope(
            id=event_id,
            type=record.topic,
            source=self._origin.source,
            time=self._origin.real_now,
            effective_time=self.now,
            subject=about.id,
            partner_id=about.partner_id,
            customer_id=about.customer_id,
            aggregate_type=about.kind,
            aggregate_version=about.version,
            data_schema=schema_id(record.topic),
            data_region=about.data_region,
            sandbox=self._origin.sandbox,
            causation_id=causes,
            correlation_id=self._origin.correlation_id,
            traceparent=self._origin.traceparent,
        )
