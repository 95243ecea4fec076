"""Programmes: validate a serial number, then activate it."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Response

from chassis.access import Permission
from chassis.http.bodies import Body
from chassis.http.calls import Call, allow
from chassis.http.lists import Listing, ListQuery
from contracts.licensing.programmes import ProgrammeEndReason
from licensing import programmes
from licensing.programmes import ActivateProgramme, EndProgramme, ProgrammeView, ValidateSerial
from licensing.routes.bodies import SerialNumber

router: Final = APIRouter(prefix="/v1/programmes", tags=["programmes"])

_OPERATORS: Final = frozenset({"operator"})
_SELLERS: Final = frozenset({"partner", "service", "operator"})


class NewProgramme(Body):
    serial_number: SerialNumber


class ProgrammeEnd(Body):
    reason: ProgrammeEndReason


@router.post("", status_code=201, response_model=ProgrammeView)
async def validate(body: NewProgramme, call: Annotated[Call, allow(Permission.PROGRAMMES_MANAGE)]) -> Response:
    """Validate a programme's serial number. Validating it again answers the same programme."""
    async with call.change() as tx:
        programme = await programmes.validate(tx, ValidateSerial(serial_number=body.serial_number))
        return call.created(ProgrammeView.of_entity(programme), location=f"/v1/programmes/{programme.id}", version=programme.version)


@router.get("", response_model=Listing[ProgrammeView])
async def list_programmes(query: Annotated[ListQuery, Query()], call: Annotated[Call, allow(kinds=_SELLERS)]) -> Response:
    """The partner's programmes, oldest first; operators see every partner's. Sorts: validated_at."""
    async with call.read() as read:
        return call.answer(await programmes.page(read, query.wanted))


@router.post("/{programme_id}/activate", response_model=ProgrammeView)
async def activate(programme_id: UUID, call: Annotated[Call, allow(Permission.PROGRAMMES_MANAGE)]) -> Response:
    """Activate what was validated; once is enough, and twice is once."""
    async with call.change() as tx:
        command = ActivateProgramme(programme_id=programme_id, seen=call.seen)
        programme = await programmes.activate(tx, command)
        return call.answer(ProgrammeView.of_entity(programme), version=programme.version)


@router.post("/{programme_id}/end", response_model=ProgrammeView)
async def end(programme_id: UUID, body: ProgrammeEnd, call: Annotated[Call, allow(kinds=_OPERATORS)]) -> Response:
    """End a partner's programme; nothing more is provisioned under it."""
    async with call.read() as read:
        whose = await programmes.partner_of(read, programme_id)
    async with call.change(tenant=whose) as tx:
        command = EndProgramme(programme_id=programme_id, reason=body.reason, seen=call.seen)
        programme = await programmes.end(tx, command)
        return call.answer(ProgrammeView.of_entity(programme), version=programme.version)
