"""Moving: a customer goes to another partner of the same tree, decided by who stands above both, or is one of them (MKT-02).

It is decided in a request and carried out as a job, as an unlinking is. Everything of the customer goes
with it and keeps its ids; tags, stages and lines in roles are the old partner's and stay behind. Whether it
may be moved there is asked once more when the job's turn comes.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text

from chassis import jobs
from chassis.database import Transaction
from chassis.database.audit import Subject
from chassis.http import confirmations
from chassis.http.confirmations import Effect
from chassis.http.etags import Seen
from chassis.jobs import Item, JobKind
from chassis.jobs.tables import Job
from contracts.customers.offboarding import CustomerMoved
from contracts.root import ROOT_PARTNER_ID
from customers.errors.offboarding import NoPlaceToMove
from customers.rules import actions, capabilities, consequences
from customers.rules.holding import hold
from customers.rules.rehoming import rehome
from customers.tables.customers import Customer

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
    """Begin to give the customer to another partner.

    Raises:
        CustomerNotFound: there is none.
        StatusForbids: it is not active nor disabled.
        NoPlaceToMove: the partner is not the caller's to give it to.
        ConfirmationNeeded: nobody has confirmed what it does.
    """
    customer = await hold(tx, command.customer_id, command.seen)
    await _admit(tx, customer, command.partner_id)
    confirmations.require(command.confirmation, consequences.of_moving(customer, command.partner_id))
    return await jobs.start(tx, MOVE, [command.customer_id], params={"partner_id": str(command.partner_id)})


async def perform(tx: Transaction, item: Item) -> None:
    """Give one customer to the partner, if that may still be done; both audits tell it."""
    customer, partner_id = await hold(tx, item.id, Seen(None)), UUID(item.params["partner_id"])
    await _admit(tx, customer, partner_id)
    old = customer.partner_id
    moved = CustomerMoved(from_partner_id=old, to_partner_id=partner_id, moved_by=tx.caller)
    await rehome(tx, customer, partner_id, leaving=moved, arriving=moved)
    changed = {"before": {"partner_id": old}, "after": {"partner_id": partner_id}}
    async with tx.beside(partner_id, asked=True) as new:
        new.note(Subject(type="customer", id=customer.id, customer_id=customer.id, facts=[CustomerMoved.topic], **changed))


async def _admit(tx: Transaction, customer: Customer, partner_id: UUID) -> None:
    await capabilities.require(tx, actions.MOVE, customer)
    who = tx.principal
    if who is None or tx.sandbox or partner_id in {customer.partner_id, ROOT_PARTNER_ID}:
        raise NoPlaceToMove
    asked = {"partner": partner_id, "own": who.partner_id, "operator": who.kind == "operator"}
    if not await tx.session.scalar(_PLACE, asked):
        raise NoPlaceToMove


MOVE: Final = JobKind(name="customers.move", perform=perform, permission=actions.MOVE.permission, customers=True)
