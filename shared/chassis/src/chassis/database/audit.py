"""What a transaction leaves in the audit: who asked for what, which entities it changed, and their values before and after.

Nobody has to remember it: entities are those that were told, fields and values those that the session
flushed. An entry is written with what it is about and never changed; its values lie beside it,
under a salted digest, so that they can be erased and the entry still be proved.
"""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database.outbox import Told
from chassis.database.watching import Change
from contracts.any.audit import AuditOutcome, AuditRecorded
from contracts.customers.users import UserKind
from contracts.records import Fact

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What an entry is about, and what happened to it."""

    type: str | None = None
    id: UUID | None = None
    customer_id: UUID | None = None
    data_region: str = "default"
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


def subjects(told: Iterable[Told], changes: Iterable[Change]) -> list[Subject]:
    """What a transaction was about: the entities it told of; when it told of none, those it changed."""
    merged: dict[UUID, Change] = {}
    for one in changes:
        known = merged.setdefault(one.id, one)
        if known is not one:
            known.before = one.before | known.before
            known.after |= one.after
    if not told:
        return [_of_row(one) for one in merged.values()]
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
        data_region=about.data_region,
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
