"""The audit: who did what, and which fields it changed. Never a value: those stay where they are kept and can be erased."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from contracts.customers.users import UserKind
from contracts.records import Fact

type AuditOutcome = Literal["done", "denied"]


class AuditRecorded(Fact):
    """A user has done something, or was not allowed to.

    ``user_partner_id`` is the user's own partner; ``acting_as`` the one in whose name it acted, if another.
    ``operation`` is what was asked for, ``facts`` what was told of it, ``code`` why it was denied.
    """

    topic: ClassVar[str] = "audit.recorded"
    aggregate: ClassVar[str] = "audit_entry"
    at: datetime
    user_id: UUID
    user_kind: UserKind
    user_partner_id: UUID
    acting_as: UUID | None
    operation: str
    outcome: AuditOutcome
    code: str | None
    subject_type: str | None
    subject_id: UUID | None
    facts: list[str]
    fields: list[str]
    request_id: str | None
