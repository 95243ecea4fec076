"""Programmes: a partner validates a serial number, then activates it, once (LIC-07, C-10).

A serial number belongs to whoever activates it first: the unique index over activated
programmes keeps that true when two partners come at once.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from chassis.database import Read, Reading, Transaction
from chassis.http.etags import Seen
from chassis.http.lists import Listing, Paged, Sorts, Wanted
from chassis.http.views import View
from contracts.licensing.programmes import ProgrammeActivated, ProgrammeEnded, ProgrammeEndReason, ProgrammeKind, ProgrammeStatus
from licensing.errors import ProgrammeNotActive, ProgrammeNotFound, ProgrammeRunning, SerialOfOtherKind, SerialTaken
from licensing.rules import capabilities, policies, serials
from licensing.rules.telling import tell_programme
from licensing.tables.programmes import Programme

ANY_VERSION: Final = Seen(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidateSerial:
    serial_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivateProgramme:
    programme_id: UUID
    seen: Seen = ANY_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class EndProgramme:
    programme_id: UUID
    reason: ProgrammeEndReason
    seen: Seen = ANY_VERSION


class ProgrammeView(View, frozen=True, kw_only=True):
    id: UUID
    version: int
    kind: ProgrammeKind
    status: ProgrammeStatus
    serial_number: str
    capabilities: list[str]
    validated_at: datetime
    activated_at: datetime | None
    ended_at: datetime | None


async def validate(tx: Transaction, command: ValidateSerial) -> Programme:
    """Check a programme's serial number, and remember that it was checked. Validating it again answers the same programme.

    Raises:
        SerialUnknown, SerialTaken, SerialOfOtherKind: it is none that this partner could activate.
    """
    found = await serials.find(tx, command.serial_number)
    if found.kind != "service_provider":
        raise SerialOfOtherKind(kind=found.kind)
    wanted = insert(Programme).values(
        partner_id=tx.partner_id,
        id=tx.new_id(),
        version=1,
        kind=found.kind,
        status="validated",
        serial_number=command.serial_number,
        capabilities=[],
        validated_at=tx.now,
    )
    await tx.session.execute(wanted.on_conflict_do_nothing(constraint="programmes_serial_once_per_partner"))
    mine = select(Programme).where(Programme.partner_id == tx.partner_id, Programme.serial_number == command.serial_number)
    return (await tx.session.execute(mine)).scalar_one()


async def activate(tx: Transaction, command: ActivateProgramme) -> Programme:
    """Enter the programme. Twice is once; what was not validated is not found.

    Raises:
        SerialTaken: another partner activated the serial number meanwhile.
        ProgrammeRunning: the partner is in such a programme by another serial number.
    """
    programme = await _lock(tx, command.programme_id)
    if programme.status == "active":
        return programme
    if programme.status == "ended":
        raise ProgrammeNotActive(status=programme.status)
    if await capabilities.active_programme(tx) is not None:
        raise ProgrammeRunning
    command.seen.admit(programme.version)
    matrix = await policies.in_force(tx, capabilities.CapabilityMatrix)
    programme.status, programme.activated_at = "active", tx.now
    programme.capabilities = matrix.policy.granted("service_provider")
    try:
        async with tx.session.begin_nested():
            await tx.session.flush()
    except IntegrityError as rival:
        raise _lost_to(rival) from rival
    await tell_programme(tx, programme, ProgrammeActivated(kind="service_provider", serial_number=programme.serial_number))
    return programme


async def end(tx: Transaction, command: EndProgramme) -> Programme:
    """End a programme; nothing more is provisioned under it. Ending it again changes nothing."""
    programme = await _lock(tx, command.programme_id)
    if programme.status == "ended":
        return programme
    if programme.status != "active":
        raise ProgrammeNotActive(status=programme.status)
    command.seen.admit(programme.version)
    programme.status, programme.ended_at, programme.capabilities = "ended", tx.now, []
    await tell_programme(tx, programme, ProgrammeEnded(kind="service_provider", reason=command.reason))
    return programme


_SORTS: Final = Sorts({"validated_at": ("validated_at", datetime)}, default="validated_at", last=("id", UUID))
_PROGRAMMES: Final = Paged(Programme, ProgrammeView, _SORTS)
_PARTNER: Final = Reading(Programme, lambda r, _shape: select(r.c.partner_id).where(r.c.id == bindparam("id")))


async def page(read: Read, wanted: Wanted) -> Listing[ProgrammeView]:
    """The partner's programmes, oldest first; operators read every partner's."""
    return await _PROGRAMMES.page(read, wanted)


async def partner_of(read: Read, programme_id: UUID) -> UUID:
    """Whose programme it is, so that the operator can change it as that partner.

    Raises:
        ProgrammeNotFound: there is none.
    """
    row = await read.row(_PARTNER, id=programme_id)
    if row is None:
        raise ProgrammeNotFound
    partner_id: UUID = row["partner_id"]
    return partner_id


async def _lock(tx: Transaction, programme_id: UUID) -> Programme:
    wanted = (
        select(Programme)
        .where(Programme.partner_id == tx.partner_id, Programme.id == programme_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found = (await tx.session.execute(wanted)).scalar_one_or_none()
    if found is None:
        raise ProgrammeNotFound
    return found


def _lost_to(rival: IntegrityError) -> SerialTaken | ProgrammeRunning | IntegrityError:
    """Which of the unique indexes another transaction was first at."""
    named: Any = getattr(rival.orig, "__cause__", None)
    constraint = getattr(named, "constraint_name", None)
    if constraint == "programmes_serial_activated_once":
        return SerialTaken()
    return ProgrammeRunning() if constraint == "programmes_one_active" else rival
