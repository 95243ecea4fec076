"""Moving: a customer goes to another partner of the same tree, decided by who stands above both, or is one of them (MKT-02).

It is decided in a request, whose job goes on by what is heard. The customer's state says where it is being moved to; meanwhile
nothing is done with it here, and every service that keeps something of it keeps still about it and answers
(``chassis.releasing``). With the last answer it changes hands (``rules.rehoming``), if it may still be moved there: everything of it goes
along and keeps its ids; tags, stages and lines in roles are the old partner's and stay behind. Where somebody stays silent beyond
the policy's ``move_within``, or the job is cancelled, it stays. Whoever changes a move holds the customer first.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert

from chassis import due
from chassis.access.rights import AccessUnconfirmed, require_level
from chassis.consumers import Event
from chassis.database import Transaction
from chassis.database.audit import Subject
from chassis.due import DueItem
from chassis.errors import Refusal
from chassis.http import confirmations
from chassis.http.confirmations import Effect
from chassis.http.etags import Seen
from chassis.jobs import JobKind, ending, starting
from chassis.jobs.rights import rights_now
from chassis.jobs.tables import Job
from contracts.any.releasing import CustomerReleased
from contracts.customers.offboarding import RELEASERS, CustomerMoved
from contracts.root import ROOT_PARTNER_ID
from customers.errors.offboarding import NoPlaceToMove, NotReleased
from customers.rules import actions, capabilities, consequences, policies
from customers.rules.holding import hold
from customers.rules.offboarding_policy import OffboardingPolicy
from customers.rules.rehoming import rehome
from customers.rules.telling import tell_customer
from customers.tables.customers import Customer
from customers.tables.offboarding import Move, Release

LOOK: Final = "customer.move"
_SLOT: Final = "move"
_LONGEST: Final = timedelta(seconds=15)
MOVE: Final = JobKind(name="customers.move", permission=actions.MOVE.permission, customers=True)
"""It is about one customer; the answers of the services carry it on."""

_PLACE: Final = text("""
select p.status = 'active' and (not p.shut_out or p.id = :own or :operator) and c.ahead is null and c.standing_at is null as takes
  from access_partners p left join door.clock_of(p.id) c on true
 where p.id = :partner
""")
"""Of partners one sees, here, one's own and those below; one with a clock of its own is a sandbox."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveCustomer:
    """``seen`` is the version of the customer that the caller has seen, ``confirmation`` that of what was shown to it."""

    customer_id: UUID
    seen: Seen
    partner_id: UUID
    confirmation: str | None = None


async def preview(tx: Transaction, customer_id: UUID, partner_id: UUID) -> Effect:
    """What moving the customer would do.

    Raises:
        Refusal: moving it would be refused, for the same reason.
    """
    customer = await hold(tx, customer_id, Seen(None))
    await _admit(tx, customer, partner_id)
    return consequences.of_moving(customer, partner_id)


async def move(tx: Transaction, command: MoveCustomer) -> Job:
    """Ask all services to keep still about the customer; the job ends when it has gone to the other partner, or stays.

    Raises:
        CustomerNotFound: there is none.
        StatusForbids: it is not active nor disabled.
        CustomerMoving: it is being moved already.
        NoPlaceToMove: the partner is not the caller's to give it to.
        ConfirmationNeeded: nobody has confirmed what it does.
    """
    customer = await hold(tx, command.customer_id, command.seen)
    await _admit(tx, customer, command.partner_id)
    confirmations.require(command.confirmation, consequences.of_moving(customer, command.partner_id))
    job = await starting.open_job(tx, MOVE, params={"customer_id": str(customer.id), "partner_id": str(command.partner_id)})
    job.status, job.started_at, job.total = "running", tx.real_now, 1
    customer.moving_to, customer.updated_at = command.partner_id, tx.now
    await tx.session.flush()
    await _note(tx, customer, job.id)
    tell_customer(tx, customer, urgent=True)
    await _look_again(tx, customer.id, times=0)
    return job


async def hear(tx: Transaction, event: Event[CustomerReleased]) -> None:
    """A service keeps still from now on; with the last one the move is looked at again, at once."""
    customer_id, answered = event.envelope.subject, event.envelope.aggregate_version
    asked = select(Move.asked_version).where(Move.partner_id == tx.partner_id, Move.id == customer_id, Move.status == "asked")
    version = await tx.session.scalar(asked)
    if version is None or answered < version:
        return
    said = {"service": event.record.service, "answered_at": tx.real_now}
    answer = insert(Release).values(partner_id=tx.partner_id, customer_id=customer_id, **said)
    await tx.session.execute(answer.on_conflict_do_nothing())
    if not await _silent(tx, customer_id):
        await due.plan(tx, LOOK, customer_id, slot=_SLOT, at=tx.real_now, payload={"times": 0})


async def look(tx: Transaction, item: DueItem) -> None:
    """Carry the move on as far as it can go now: hand over, call off, or look again."""
    found = select(Customer).where(Customer.partner_id == tx.partner_id, Customer.id == item.subject).with_for_update()
    customer = (await tx.session.scalars(found)).one_or_none()
    move = await _hold_move(tx, item.subject)
    if customer is None or move is None or move.status != "asked" or customer.moving_to != move.to_partner_id:
        return
    job = await _job(tx, move)
    silent = await _silent(tx, item.subject)
    if job.cancelled_by is not None:
        await _call_off(tx, item.subject, "cancelled")
        await ending.cancel(tx, job)
    elif silent and tx.real_now < move.until:
        await _look_again(tx, item.subject, times=int(item.payload["times"]) + 1)
    elif silent:
        await _fail(tx, item.subject, job, NotReleased(f"Silent: {', '.join(sorted(silent))}."))
    else:
        await _go(tx, item.subject, job)


async def _go(tx: Transaction, customer_id: UUID, job: Job) -> None:
    """Everybody keeps still: hand over, in the name of whoever asked, if that may still be done."""
    try:
        rights = await rights_now(tx, MOVE, job)
        async with tx.part(principal=rights.principal, correlation_id=job.correlation_id, operation=MOVE.name) as part:
            await require_level((await part.driver()).fetchrow, rights, customer_id, write=True)
            await _hand_over(part, customer_id)
    except AccessUnconfirmed:
        await _look_again(tx, customer_id, times=0)
    except Refusal as refusal:
        await _fail(tx, customer_id, job, refusal)
    else:
        job.succeeded = 1
        await ending.finish(tx, job, "done")


async def _hand_over(tx: Transaction, customer_id: UUID) -> None:
    customer, move = await hold(tx, customer_id, Seen(None)), await _its_move(tx, customer_id)
    partner_id, customer.moving_to = move.to_partner_id, None
    await _admit(tx, customer, partner_id)
    move.status, move.ended_at = "moved", tx.real_now
    old = customer.partner_id
    moved = CustomerMoved(from_partner_id=old, to_partner_id=partner_id, moved_by=tx.caller)
    await rehome(tx, customer, partner_id, leaving=moved, arriving=moved)
    subject = Subject(
        type="customer",
        id=customer.id,
        customer_id=customer.id,
        data_region=customer.data_region,
        facts=[CustomerMoved.topic],
        before={"partner_id": old},
        after={"partner_id": partner_id},
    )
    async with tx.beside(partner_id, asked=True) as new:
        new.note(subject)


async def _fail(tx: Transaction, customer_id: UUID, job: Job, refusal: Refusal) -> None:
    await _call_off(tx, customer_id, refusal.code)
    job.failed = 1
    await ending.finish(tx, job, "failed", code=refusal.code, reason=f"{refusal.detail} {refusal.remedy}")


async def _call_off(tx: Transaction, customer_id: UUID, code: str) -> None:
    """The customer stays, and whoever keeps still about it goes on when it hears so."""
    found = select(Customer).where(Customer.partner_id == tx.partner_id, Customer.id == customer_id)
    customer = (await tx.session.scalars(found, execution_options={"populate_existing": True})).one()
    customer.moving_to, customer.updated_at = None, tx.now
    move = await _its_move(tx, customer_id)
    move.status, move.ended_at, move.code = "called_off", tx.real_now, code
    await tx.session.flush()
    tell_customer(tx, customer, urgent=True)


async def _note(tx: Transaction, customer: Customer, job_id: UUID) -> None:
    """The customer's last move is this one, and nobody has answered yet."""
    within = (await policies.in_force(tx, OffboardingPolicy)).policy.move_within
    move = await _hold_move(tx, customer.id) or Move(partner_id=tx.partner_id, id=customer.id)
    said = {"status": "asked", "to_partner_id": customer.moving_to, "asked_at": tx.real_now, "asked_version": customer.version}
    for name, value in (said | {"until": tx.real_now + within, "job_id": job_id, "ended_at": None, "code": None}).items():
        setattr(move, name, value)
    tx.session.add(move)
    await tx.session.flush()
    await tx.session.execute(delete(Release).where(Release.partner_id == tx.partner_id, Release.customer_id == customer.id))


async def _look_again(tx: Transaction, customer_id: UUID, *, times: int) -> None:
    """Somebody may have cancelled, and time may be over; answers need no looking out for."""
    wait = min(timedelta(seconds=2 ** min(times, 10)), _LONGEST)
    await due.plan(tx, LOOK, customer_id, slot=_SLOT, at=tx.real_now, wait=wait, payload={"times": times})


async def _silent(tx: Transaction, customer_id: UUID) -> frozenset[str]:
    given = select(Release.service).where(Release.partner_id == tx.partner_id, Release.customer_id == customer_id)
    return RELEASERS - set(await tx.session.scalars(given))


async def _hold_move(tx: Transaction, customer_id: UUID) -> Move | None:
    found = select(Move).where(Move.partner_id == tx.partner_id, Move.id == customer_id).with_for_update()
    return (await tx.session.scalars(found, execution_options={"populate_existing": True})).one_or_none()


async def _its_move(tx: Transaction, customer_id: UUID) -> Move:
    move = await _hold_move(tx, customer_id)
    if move is None:
        raise LookupError(f"customer {customer_id} is not being moved")
    return move


async def _job(tx: Transaction, move: Move) -> Job:
    found = select(Job).where(Job.partner_id == tx.partner_id, Job.id == move.job_id).with_for_update()
    return (await tx.session.scalars(found)).one()


async def _admit(tx: Transaction, customer: Customer, partner_id: UUID) -> None:
    await capabilities.require(tx, actions.MOVE, customer)
    who = tx.principal
    if who is None or tx.sandbox or partner_id in {customer.partner_id, ROOT_PARTNER_ID}:
        raise NoPlaceToMove
    asked = {"partner": partner_id, "own": who.partner_id, "operator": who.kind == "operator"}
    if not await tx.session.scalar(_PLACE, asked):
        raise NoPlaceToMove
