"""Clocks of sandbox partners over HTTP: looked at, and moved on."""

from datetime import timedelta
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter
from pydantic import AwareDatetime, Field, model_validator
from starlette.responses import Response

from chassis.access import Permission
from chassis.http.bodies import Body
from chassis.http.calls import Call, allow
from chassis.jobs import JobView, accepted
from customers import sandboxes
from customers.errors import PartnerNotFound
from customers.sandboxes import AdvanceClock, SandboxClockView

router = APIRouter(prefix="/v1/partners", tags=["clocks"])

STAFF = frozenset({"operator", "partner"})


class Advance(Body):
    """`until` an instant of the sandbox's own time, or `by` a duration (`P30D`); one of them."""

    until: AwareDatetime | None = None
    by: Annotated[timedelta, Field(gt=timedelta())] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.until is None) == (self.by is None):
            raise ValueError("Say `until` or `by`, one of them.")
        return self


@router.get("/{partner_id}/clock", response_model=SandboxClockView)
async def get(partner_id: UUID, call: Annotated[Call, allow(kinds=STAFF)]) -> Response:
    async with call.read() as read:
        clock = await sandboxes.clock(read, partner_id)
        return call.answer(clock, version=clock.version)


@router.post("/{partner_id}/clock/advance", status_code=202, response_model=JobView)
async def advance(partner_id: UUID, body: Advance, call: Annotated[Call, allow(Permission.PARTNER_MANAGE, kinds=STAFF)]) -> Response:
    """Move a sandbox's clock on. It asks for no If-Match: two at once are refused, and an Idempotency-Key makes asking twice safe."""
    if call.principal.kind == "partner" and call.principal.tenant != partner_id:
        raise PartnerNotFound
    async with call.change(tenant=partner_id) as tx:
        return accepted(call, await sandboxes.advance(tx, AdvanceClock(until=body.until, by=body.by)))
