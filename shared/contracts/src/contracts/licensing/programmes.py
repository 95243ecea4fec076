"""Programmes: what lets a partner provision (LIC-05 to LIC-07)."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from contracts.records import Fact, Part, State

type ProgrammeKind = Literal["service_provider"]
type ProgrammeStatus = Literal["validated", "active", "ended"]
type ProgrammeEndReason = Literal["contract_ended", "partner_asked", "terms_broken", "replaced"]


class ProgrammeState(Part):
    """A partner's programme. ``serial_number`` is the evidence; ``capabilities`` are the actions it grants."""

    id: UUID
    partner_id: UUID
    kind: ProgrammeKind
    status: ProgrammeStatus
    serial_number: str
    capabilities: list[str]
    activated_at: datetime | None


class ProgrammeFact(Fact):
    aggregate: ClassVar[str] = "programme"


class ProgrammeActivated(ProgrammeFact):
    topic: ClassVar[str] = "programme.activated"
    kind: ProgrammeKind
    serial_number: str


class ProgrammeEnded(ProgrammeFact):
    topic: ClassVar[str] = "programme.ended"
    kind: ProgrammeKind
    reason: ProgrammeEndReason


class ProgrammeChanged(State[ProgrammeState]):
    topic: ClassVar[str] = "programme.changed"
    aggregate: ClassVar[str] = "programme"
