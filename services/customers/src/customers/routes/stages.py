"""Stages over HTTP: planned, listed, changed and stopped."""

from datetime import timedelta
from typing import Annotated, Any, Final
from uuid import UUID

from annotated_types import Ge, Gt, Le, Len
from fastapi import APIRouter, Query
from pydantic import AwareDatetime
from starlette.responses import Response

from chassis.http.bodies import Body
from chassis.http.calls import Call, allow
from chassis.http.confirmations import Confirmation
from chassis.http.lists import Listing, ListQuery
from customers.offboarding import stages, staging
from customers.offboarding.stages import StageView
from customers.offboarding.staging import ChangeStage, PlanStages, StopStage, Verb, Wanted
from customers.rules import actions
from customers.rules.offboarding_policy import Tasks

router: Final = APIRouter(prefix="/v1/customers/{customer_id}/stages", tags=["off-boarding"])

PLANNERS: Final = allow(actions.PLAN_OFFBOARDING.permission, kinds=actions.PLAN_OFFBOARDING.kinds)

type Span = Annotated[timedelta, Gt(timedelta()), Le(timedelta(days=3653))]
type Notices = Annotated[list[Span], Len(0, 5)]


class NewStage(Body):
    """What is left out is as the policy `offboarding` has it."""

    verb: Verb
    after: Span | None = None
    notices: Notices | None = None
    checklist: Tasks | None = None

    def wanted(self) -> Wanted:
        return Wanted(verb=self.verb, after=self.after, notices=self.notices, tasks=self.checklist)


class NewStages(Body):
    """Without `stages` both, as the policy has them: disabled first, deleted later."""

    stages: Annotated[list[NewStage], Len(1, 2)] | None = None
    confirmation: Confirmation | None = None


class StageChange(Body):
    """What is left out stays. `done` are all tasks that are done, by their number from 1."""

    at: AwareDatetime | None = None
    notices: Notices | None = None
    done: Annotated[list[Annotated[int, Ge(1), Le(20)]], Len(0, 20)] | None = None
    confirmation: Confirmation | None = None


BY_POLICY: Final = NewStages()


@router.post("", status_code=201, response_model=Listing[StageView])
async def plan(customer_id: UUID, call: Annotated[Call, PLANNERS], body: NewStages = BY_POLICY) -> Response:
    """Plan how a customer goes, in stages (MKT-19). One that comes before any notice of it is confirmed, as the deed itself is."""
    wanted = [one.wanted() for one in body.stages] if body.stages else [Wanted(verb="disable"), Wanted(verb="delete")]
    async with call.change(customer=customer_id) as tx:
        planned = await staging.plan(tx, PlanStages(customer_id=customer_id, seen=call.seen, stages=wanted, confirmation=body.confirmation))
        view = Listing.whole([StageView.of_entity(one) for one in planned], as_of=tx.real_now)
        return call.created(view, location=f"/v1/customers/{customer_id}/stages")


@router.get("", response_model=Listing[StageView])
async def list_stages(
    customer_id: UUID, query: Annotated[ListQuery, Query()], call: Annotated[Call, allow(kinds=actions.STAFF)]
) -> Response:
    """How a customer is going, stage by stage. Sorts: at."""
    async with call.read(customer=customer_id) as read:
        return call.answer(await stages.page(read, customer_id, query.wanted))


@router.patch("/{stage_id}", response_model=StageView)
async def change(customer_id: UUID, stage_id: UUID, body: StageChange, call: Annotated[Call, PLANNERS]) -> Response:
    """Move a stage, announce it otherwise, tick off what is done; until it happens."""
    async with call.change(customer=customer_id) as tx:
        said: dict[str, Any] = {"at": body.at, "notices": body.notices, "done": body.done, "confirmation": body.confirmation}
        command = ChangeStage(customer_id=customer_id, stage_id=stage_id, seen=call.seen, **said)
        stage = await staging.change(tx, command)
        return call.answer(StageView.of_entity(stage), version=stage.version)


@router.post("/{stage_id}/stop", response_model=StageView)
async def stop(customer_id: UUID, stage_id: UUID, call: Annotated[Call, PLANNERS]) -> Response:
    """Let a stage not happen; until it happens."""
    async with call.change(customer=customer_id) as tx:
        stage = await staging.stop(tx, StopStage(customer_id=customer_id, stage_id=stage_id, seen=call.seen))
        return call.answer(StageView.of_entity(stage), version=stage.version)
