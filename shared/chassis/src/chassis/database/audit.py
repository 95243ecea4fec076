"""What a transaction leaves in the audit: who asked for what, which entities it changed, and their values before and after.

Nobody has to remember it: entities are those that were told, fields and values those that the session
flushed. An entry is written with what it is about and never changed; its values lie beside it,
under a salted digest, so that they can be erased and the entry still be proved.
"""

import hashlib
import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import msgspec
from sqlalchemy import event, inspect, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session
from sqlalchemy.orm.state import InstanceState

from chassis.database.outbox import Told
from contracts.any.audit import AuditOutcome, AuditRecorded
from contracts.customers.users import UserKind
from contracts.records import Fact

_CHANGES: Final = "changes of entities"
_CAPITALS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_UNSAID: Final = frozenset({"partner_id", "id", "version", "created_at", "updated_at"})

_WRITE: Final = text("""
with kept as (
  insert into audit (partner_id, id, at, user_id, user_kind, user_partner_id, acting_as, operation, outcome, code,
                     subject_type, subject_id, customer_id, facts, fields, request_id, address, digest)
  select partner_id, id, at, user_id, user_kind, user_partner_id, acting_as, operation, outcome, code,
         subject_type, subject_id, customer_id, cast(facts as text[]), cast(fields as text[]), request_id, address, digest
    from unnest(cast(:partner_id as uuid[]), cast(:id as uuid[]), cast(:at as timestamptz[]), cast(:user_id as uuid[]),
                cast(:user_kind as text[]), cast(:user_partner_id as uuid[]), cast(:acting_as as uuid[]), cast(:operation as text[]),
                cast(:outcome as text[]), cast(:code as text[]), cast(:subject_type as text[]), cast(:subject_id as uuid[]),
                cast(:customer_id as uuid[]), cast(:facts as text[]), cast(:fields as text[]), cast(:request_id as text[]),
                cast(:address as text[]), cast(:digest as bytea[]))
      as u(partner_id, id, at, user_id, user_kind, user_partner_id, acting_as, operation, outcome, code,
           subject_type, subject_id, customer_id, facts, fields, request_id, address, digest))
insert into audit_values (partner_id, audit_id, salt, before, after)
select partner_id, id, salt, before, after
  from unnest(cast(:partner_id as uuid[]), cast(:id as uuid[]), cast(:salt as bytea[]), cast(:before as json[]), cast(:after as json[]))
    as u(partner_id, id, salt, before, after)
 where salt is not null
""")


class WatchedSession(Session):
    """Notes what it flushes, while somebody's doings are audited."""


class WatchedAsyncSession(AsyncSession):
    sync_session_class = WatchedSession


@dataclass(slots=True)
class Change:
    """An entity as a transaction has changed it so far: the columns concerned, before and after."""

    noun: str
    id: UUID
    customer_id: UUID | None
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What an entry is about, and what happened to it."""

    type: str | None = None
    id: UUID | None = None
    customer_id: UUID | None = None
    facts: Sequence[str] = ()
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)

    @property
    def fields(self) -> list[str]:
        return sorted(self.before.keys() | self.after.keys())


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the audit."""

    partner_id: UUID
    id: UUID
    at: datetime
    user_id: UUID
    user_kind: UserKind
    user_partner_id: UUID
    acting_as: UUID | None
    operation: str
    outcome: AuditOutcome
    code: str | None
    subject: Subject
    request_id: str | None
    address: str | None

    def record(self) -> AuditRecorded:
        """What is told of it: no values."""
        return AuditRecorded(
            at=self.at,
            user_id=self.user_id,
            user_kind=self.user_kind,
            user_partner_id=self.user_partner_id,
            acting_as=self.acting_as,
            operation=self.operation,
            outcome=self.outcome,
            code=self.code,
            subject_type=self.subject.type,
            subject_id=self.subject.id,
            facts=[*self.subject.facts],
            fields=self.subject.fields,
            request_id=self.request_id,
        )


class Changes:
    """What a session has flushed since some moment, for one unit of work inside others."""

    def __init__(self, noted: list[Change]) -> None:
        self._noted = noted
        self._since = len(noted)

    def taken(self) -> list[Change]:
        """Take them out, so that the unit of work around does not audit them again."""
        mine = self._noted[self._since :]
        del self._noted[self._since :]
        return mine

    @contextmanager
    def kept_if_done(self) -> Iterator[None]:
        """What is undone was no change."""
        try:
            yield
        except BaseException:
            del self._noted[self._since :]
            raise


def watch(session: AsyncSession, *, audited: bool) -> Changes:
    """Note from now on what the session flushes, if it is ``audited``."""
    return Changes(session.info.setdefault(_CHANGES, []) if audited else [])


def subjects(told: Iterable[Told], changes: Iterable[Change]) -> list[Subject]:
    """What a transaction was about: the entities it told of; when it told of none, those it changed."""
    merged: dict[UUID, Change] = {}
    for one in changes:
        known = merged.setdefault(one.id, one)
        if known is not one:
            known.before = one.before | known.before
            known.after |= one.after
    if not told:
        return [
            Subject(type=one.noun, id=one.id, customer_id=one.customer_id, before=one.before, after=one.after) for one in merged.values()
        ]
    entities: dict[UUID, list[Told]] = {}
    for record in told:
        entities.setdefault(record.about.id, []).append(record)
    return [_of_entity(records, merged.get(entity)) for entity, records in entities.items()]


def _of_row(change: Change) -> Subject:
    return Subject(type=change.noun, id=change.id, customer_id=change.customer_id, before=change.before, after=change.after)


def _of_entity(records: Sequence[Told], change: Change | None) -> Subject:
    """Where the session knows nothing of it, a hot statement changed it: then its facts say what it became."""
    about = records[0].about
    facts = [one.record for one in records if isinstance(one.record, Fact)]
    after: dict[str, Any] = {}
    if change is None:
        for fact in facts:
            after |= fact.model_dump(mode="json")
    return Subject(
        type=about.kind,
        id=about.id,
        customer_id=about.customer_id,
        facts=[fact.topic for fact in facts],
        before=change.before if change else {},
        after=change.after if change else after,
    )


async def write(session: AsyncSession, entries: Sequence[Entry]) -> None:
    """Write entries in one statement, without reading anything back: requests may only add to the audit."""
    if entries:
        rows = [_row(one) for one in entries]
        await session.execute(_WRITE, {name: [row[name] for row in rows] for name in rows[0]})


def digest(salt: bytes, before: str, after: str) -> bytes:
    """What an entry keeps of its values: it proves them while they are there, and says nothing once they are erased."""
    return hashlib.sha256(salt + before.encode() + b"\0" + after.encode()).digest()


def _row(entry: Entry) -> dict[str, Any]:
    subject = entry.subject
    before, after = _json(subject.before), _json(subject.after)
    salt = secrets.token_bytes(16) if subject.fields else None
    return {
        "partner_id": entry.partner_id,
        "id": entry.id,
        "at": entry.at,
        "user_id": entry.user_id,
        "user_kind": entry.user_kind,
        "user_partner_id": entry.user_partner_id,
        "acting_as": entry.acting_as,
        "operation": entry.operation,
        "outcome": entry.outcome,
        "code": entry.code,
        "subject_type": subject.type,
        "subject_id": subject.id,
        "customer_id": subject.customer_id,
        "facts": _array(subject.facts),
        "fields": _array(subject.fields),
        "request_id": entry.request_id,
        "address": entry.address,
        "digest": digest(salt, before, after) if salt else None,
        "salt": salt,
        "before": before,
        "after": after,
    }


def _array(names: Sequence[str]) -> str:
    return "{" + ",".join(names) + "}"


def _json(values: dict[str, Any]) -> str:
    return msgspec.json.encode(values, enc_hook=str, order="deterministic").decode()


@event.listens_for(WatchedSession, "before_flush")
def _note(session: Session, _context: Any, _instances: Any) -> None:
    noted: list[Change] | None = session.info.get(_CHANGES)
    if noted is None:
        return
    noted.extend(change for entity in session.new if (change := _change(entity, "made")) is not None)
    noted.extend(change for entity in session.dirty if (change := _change(entity, "changed")) is not None)
    noted.extend(change for entity in session.deleted if (change := _change(entity, "deleted")) is not None)


def _change(entity: Any, how: Literal["made", "changed", "deleted"]) -> Change | None:
    state: InstanceState[Any] = inspect(entity)
    columns = [one.key for one in state.mapper.column_attrs]
    now = state.dict
    if "id" not in columns:
        return None
    change = Change(_CAPITALS.sub("_", type(entity).__name__).lower(), now["id"], now.get("customer_id"))
    if how == "made":
        change.after = {name: now[name] for name in columns if name in now and name not in _UNSAID}
    elif how == "deleted":
        change.before = {name: now[name] for name in columns if name in now and name not in _UNSAID}
    else:
        changed = [name for name in columns if name not in _UNSAID and state.attrs[name].history.has_changes()]
        change.before = {name: next(iter(state.attrs[name].history.deleted), None) for name in changed}
        change.after = {name: now[name] for name in changed}
    return change if change.before or change.after else None
