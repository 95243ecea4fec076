"""Stages: a customer is disabled and deleted at times that are planned, with notices before and a checklist to be done (MKT-19).

A stage is due work by the partner's own clock, and can be changed or stopped until it happens. While
something of its checklist is open it is held, and happens as soon as that is done. Whoever planned it must
still be allowed to then. What is planned
stands in the customer's state, from which notifications knows when to announce it. Whoever changes
a stage holds the customer first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from chassis import due
from chassis.database import Transaction
from chassis.due import DueItem, Retry
from chassis.errors import Refusal
from chassis.http import confirmations
from chassis.http.etags import Seen
from customers.errors.offboarding import StageNotFound, StageOver, StagePlanned
from customers.rules import actions, capabilities, consequences, going, planners, policies
from customers.rules.constraints import broken
from customers.rules.holding import hold
from customers.rules.offboarding_policy import OffboardingPolicy
from customers.rules.telling import tell_customer
from customers.tables.customers import Customer
from customers.tables.offboarding import Stage

_ANY: Final = Seen(None)
_OPEN: Final = ("planned", "held")
_SPAN: Final = TypeAdapter(timedelta)

type Verb = Literal["disable", "delete"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is said of a stage; what is None is as the policy has it."""

    verb: Verb
    after: timedelta | None = None
    notices: Sequence[timedelta] | None = None
    tasks: Sequence[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanStages:
    """``seen`` is the version of the customer that the caller has seen."""

    customer_id: UUID
    seen: Seen
    stages: Sequence[Wanted]
    confirmation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeStage:
    """``seen`` is the stage's version. What is None stays; ``done`` are the numbers of tasks that are done, from 1."""

    customer_id: UUID
    stage_id: UUID
    seen: Seen
    at: datetime | None = None
    notices: Sequence[timedelta] | None = None
    done: Sequence[int] | None = None
    confirmation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopStage:
    customer_id: UUID
    stage_id: UUID
    seen: Seen


async def plan(tx: Transaction, command: PlanStages) -> list[Stage]:
    """Plan stages of a customer, each once.

    Raises:
        CustomerNotFound: there is none.
        StatusForbids: it is not active nor disabled.
        StagePlanned: one of them is planned already.
        ConfirmationNeeded: one of them is announced to nobody before it comes, and nobody has confirmed what it does.
    """
    customer = await hold(tx, command.customer_id, command.seen)
    await capabilities.require(tx, actions.PLAN_OFFBOARDING, customer)
    policy = (await policies.in_force(tx, OffboardingPolicy)).policy
    stages = [_stage(tx, customer, wanted, policy) for wanted in command.stages]
    await _confirmed(tx, customer, stages, command.confirmation)
    tx.session.add_all(stages)
    try:
        await tx.session.flush()
    except IntegrityError as refused:
        if broken(refused) == "stages_one_open":
            raise StagePlanned from refused
        raise
    for stage in stages:
        await due.plan(tx, going.STAGE, stage.id, slot="stage", at=stage.at, payload={"customer_id": str(customer.id)})
    await _tell(tx, customer)
    return stages


def _stage(tx: Transaction, customer: Customer, wanted: Wanted, policy: OffboardingPolicy) -> Stage:
    disables = wanted.verb == "disable"
    after = wanted.after or (policy.disable_after if disables else policy.delete_after)
    tasks = (policy.disable_checklist if disables else policy.delete_checklist) if wanted.tasks is None else wanted.tasks
    notices = policy.notices if wanted.notices is None else wanted.notices
    return Stage(
        partner_id=tx.partner_id,
        id=tx.new_id(),
        customer_id=customer.id,
        verb=wanted.verb,
        status="planned",
        at=tx.now + after,
        notices=_written(notices),
        checklist=[{"text": task, "done": False} for task in tasks],
        planned_by=tx.caller,
        updated_at=tx.now,
    )


async def _confirmed(tx: Transaction, customer: Customer, stages: Sequence[Stage], confirmation: str | None) -> None:
    """What no notice is given of before it comes is done as if it were asked for now: by who was told what it does (GW-14)."""
    sudden = {one.verb for one in stages if not any(one.at - _SPAN.validate_python(notice) > tx.now for notice in one.notices)}
    if sudden:
        delete = "delete" in sudden
        confirmations.require(confirmation, await consequences.of_deletion(tx, customer) if delete else consequences.of_disabling(customer))


def _written(notices: Sequence[timedelta]) -> list[str]:
    """The earliest first, each once."""
    return [_SPAN.dump_python(one, mode="json") for one in sorted(set(notices), reverse=True)]


async def change(tx: Transaction, command: ChangeStage) -> Stage:
    """Change a stage that has not happened yet. One that was held only for its checklist happens when the last task is done.

    Raises:
        StageNotFound: there is none.
        StageOver: it has happened, or was stopped.
        ConfirmationNeeded: it would come without a notice before it, and nobody has confirmed what it does.
    """
    customer, stage = await _open(tx, command.customer_id, command.stage_id, command.seen)
    if command.at is not None:
        stage.at, stage.status = max(command.at, tx.now), "planned"
    if command.notices is not None:
        stage.notices = _written(command.notices)
    if command.done is not None:
        stage.checklist = [one | {"done": number in command.done} for number, one in enumerate(stage.checklist, start=1)]
    if command.at is not None or command.notices is not None:
        await _confirmed(tx, customer, [stage], command.confirmation)
    if stage.status == "held" and not _left(stage):
        stage.status = "planned"
    if stage.status == "planned":
        await due.plan(tx, going.STAGE, stage.id, slot="stage", at=max(stage.at, tx.now), payload={"customer_id": str(customer.id)})
    await _settle(tx, customer, stage)
    return stage


async def stop(tx: Transaction, command: StopStage) -> Stage:
    """Let a stage not happen.

    Raises:
        StageNotFound: there is none.
        StageOver: it has happened, or was stopped.
    """
    customer, stage = await _open(tx, command.customer_id, command.stage_id, command.seen)
    stage.status = "stopped"
    await due.withdraw(tx, going.STAGE, stage.id)
    await _settle(tx, customer, stage)
    return stage


async def carry_out(tx: Transaction, item: DueItem) -> None:
    """A stage's time has come. What is open of its checklist holds it; what refuses it, or whoever planned it, stays with it.

    Raises:
        Retry: the customer is being moved; its stages stay behind, if it goes.
    """
    found = select(Customer).where(Customer.partner_id == tx.partner_id, Customer.id == UUID(item.payload["customer_id"]))
    customer = (await tx.session.scalars(found.with_for_update())).one_or_none()
    stage = await _held(tx, item.subject)
    if customer is None or stage is None or stage.status != "planned" or stage.at > tx.now:
        return
    if customer.moving_to is not None:
        raise Retry.soon("the customer is being moved", item)
    if _left(stage):
        stage.status = "held"
        await _settle(tx, customer, stage)
        return
    stage.status = "done"
    try:
        await planners.require(tx, stage.planned_by, actions.PLAN_OFFBOARDING, customer)
        await _do(tx, customer, stage)
    except Refusal as refusal:
        stage.status, stage.refused_with = "refused", refusal.code
        await _settle(tx, customer, stage)


async def _do(tx: Transaction, customer: Customer, stage: Stage) -> None:
    """The deed tells of the customer, whose state has this stage no more."""
    stage.updated_at = tx.now
    shown = customer.stages
    customer.stages = [one for one in shown if one["id"] != str(stage.id)]
    try:
        await (going.put_to_rest(tx, customer) if stage.verb == "disable" else going.ask_deletion(tx, customer, stage_id=stage.id))
    except Refusal:
        customer.stages = shown
        raise


async def _open(tx: Transaction, customer_id: UUID, stage_id: UUID, seen: Seen) -> tuple[Customer, Stage]:
    customer = await hold(tx, customer_id, _ANY)
    stage = await _held(tx, stage_id)
    if stage is None or stage.customer_id != customer.id:
        raise StageNotFound
    seen.admit(stage.version)
    if stage.status not in _OPEN:
        raise StageOver(status=stage.status)
    return customer, stage


async def _held(tx: Transaction, stage_id: UUID) -> Stage | None:
    found = select(Stage).where(Stage.partner_id == tx.partner_id, Stage.id == stage_id).with_for_update()
    return (await tx.session.scalars(found, execution_options={"populate_existing": True})).one_or_none()


def _left(stage: Stage) -> list[str]:
    return [one["text"] for one in stage.checklist if not one["done"]]


async def _settle(tx: Transaction, customer: Customer, stage: Stage) -> None:
    stage.updated_at = tx.now
    await tx.session.flush()
    await _tell(tx, customer)


async def _tell(tx: Transaction, customer: Customer) -> None:
    """The customer's state says which stages are still to come."""
    found = select(Stage).where(Stage.partner_id == tx.partner_id, Stage.customer_id == customer.id, Stage.status.in_(_OPEN))
    coming = (await tx.session.scalars(found.order_by(Stage.at, Stage.id))).all()
    customer.stages = [_shown(one) for one in coming]
    customer.updated_at = tx.now
    await tx.session.flush()
    tell_customer(tx, customer)


def _shown(stage: Stage) -> dict[str, Any]:
    at, tasks = stage.at.isoformat(), _left(stage)
    return {"id": str(stage.id), "verb": stage.verb, "at": at, "notices": [*stage.notices], "tasks": tasks}
