"""One's own rights over HTTP, as customers keeps them: what other services ask when they may not know them yet."""

from datetime import datetime
from typing import Annotated, cast
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from chassis.access.asking import PATH
from chassis.access.rights import Rights
from chassis.database.clocks import PartnerClock
from chassis.http.calls import Call, allow
from chassis.http.views import View
from contracts.customers.roles import Level

router = APIRouter(tags=["rights"])

ALL = frozenset({"operator", "partner", "customer", "service"})


class GrantView(View, frozen=True):
    """What one role gives: an explicit customer decides, then the highest of its tags, then *All customers*, then the default."""

    permissions: tuple[str, ...]
    all_customers: Level | None
    default_level: Level
    customers: dict[UUID, Level]
    tags: dict[str, Level]


class ClockView(View, frozen=True):
    """The clock of a sandbox partner: it is so far ahead of real time, or stands while it is moved on."""

    ahead_seconds: float
    standing_at: datetime | None


class RightsView(View, frozen=True):
    """The roles of the caller, which give their union; operators and customers' users have none, their kind is enough.

    `clock` is that of the partner it acts for, where that is a sandbox.
    """

    grants: list[GrantView]
    clock: ClockView | None


@router.get(PATH, response_model=RightsView)
async def mine(call: Annotated[Call, allow(kinds=ALL)]) -> Response:
    """What the caller may do now, here or as the partner it acts as (CUS-85 to CUS-91)."""
    async with call.read() as read:
        rights = cast("Rights", read.rights)
        grants = [GrantView.of_entity(grant) for grant in rights.grants]
        return call.answer(RightsView(grants=grants, clock=_shown(rights.clock)))


def _shown(clock: PartnerClock | None) -> ClockView | None:
    return ClockView(ahead_seconds=clock.ahead.total_seconds(), standing_at=clock.standing_at) if clock else None
