"""Rescreening: every customer of every partner is looked at again, after a list was loaded or when an operator asks (CUS-13).

It is due work: one piece spreads over the partners, then one for each partner, a batch of customers
at a time. A batch and how far it has come commit together, so whatever kills a worker, the next one
goes on there. Who is found is held for a person to look at; a party that a reviewer has cleared for
the very same name is no finding again.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Text, case, cast, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB

from chassis import due
from chassis.database import Transaction
from chassis.database.audit import Subject
from chassis.due import Due, DueItem, DueRow
from chassis.http.etags import Seen
from customers.rules import listed, particulars
from customers.rules.actions import PRESENT
from customers.rules.holding import hold
from customers.rules.particulars import Finding
from customers.rules.reviewing import hold_for
from customers.rules.screening import Index
from customers.rules.telling import tell_customer
from customers.tables.customers import Customer, Review
from customers.tables.known import ScreeningRun
from customers.tables.partners import Partner

EVERYBODY: Final = "screening.everybody"
PARTNER: Final = "screening.partner"
BATCH: Final = 100
_BEFORE_ALL: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class _Looked:
    """A customer as far as it is screened."""

    id: UUID
    name: str
    contact: dict[str, Any]
    first_admin: dict[str, Any]

    def findings(self, lists: Index) -> list[Finding]:
        people = {
            "/contact/name": self.contact["name"],
            "/first_admin": f"{self.first_admin['first_name']} {self.first_admin['last_name']}",
        }
        if people["/first_admin"].strip() == people["/contact/name"]:
            people.pop("/first_admin")
        return particulars.denied({"/company/name": self.name} | people, lists)


async def begin(tx: Transaction) -> UUID:
    """Have everybody looked at again; the transaction is the root party's, whoever asks or nobody. Answers the run's id."""
    run_id = tx.new_id()
    await due.plan(tx, EVERYBODY, run_id, slot="first", at=tx.now)
    if tx.principal is not None:
        tx.note(Subject(type="screening_run", id=run_id))
    return run_id


async def spread(tx: Transaction, item: DueItem) -> None:
    """Plan a look at each partner that has customers."""
    whose = select(Customer.partner_id).where(Customer.status.in_(PRESENT))
    columns = ["partner_id", "id", "kind", "subject", "slot", "due_at", "retry_at", "attempts", "payload", "sandbox"]
    now, payload = literal(tx.real_now), cast(literal({}, JSONB), JSONB)
    slot = cast(literal(str(item.subject)), Text)
    each = select(Partner.id, func.uuidv7(), literal(PARTNER), Partner.id, slot, now, now, literal(0), payload, Partner.sandbox)
    planned = insert(DueRow).from_select(columns, each.where(Partner.id.in_(whose))).returning(DueRow.id)
    partners = len((await tx.session.scalars(planned, execution_options={"across_partners": "all customers are looked at"})).all())
    ended_at = None if partners else tx.real_now
    values = {"partners": partners, "partners_done": 0, "customers": 0, "found": 0, "ended_at": ended_at}
    tx.session.add(ScreeningRun(id=item.subject, started_at=tx.real_now, **values))
    await tx.session.flush()


async def look(tx: Transaction, item: DueItem) -> None:
    """Look at the next customers of a partner."""
    batch = await _next(tx, UUID(item.payload.get("after", str(_BEFORE_ALL))))
    lists = await listed.current(tx)
    concerned = await asyncio.to_thread(_concerned, batch, lists)
    found = sum([await _hold(tx, customer_id, lists) for customer_id in concerned])
    last = len(batch) < BATCH
    if not last:
        await due.plan(tx, PARTNER, tx.partner_id, slot=item.slot, at=tx.now, payload={"after": str(batch[-1].id)})
    await _note(tx, UUID(item.slot), customers=len(batch), found=found, partners=int(last))


async def _next(tx: Transaction, after: UUID) -> list[_Looked]:
    columns = (Customer.id, Customer.name, Customer.contact, Customer.first_admin)
    further = select(*columns).where(Customer.partner_id == tx.partner_id, Customer.status.in_(PRESENT), Customer.id > after)
    return [_Looked(*row) for row in await tx.session.execute(further.order_by(Customer.id).limit(BATCH))]


def _concerned(batch: Sequence[_Looked], lists: Index) -> list[UUID]:
    return [one.id for one in batch if one.findings(lists)]


async def _hold(tx: Transaction, customer_id: UUID, lists: Index) -> bool:
    """Hold a customer as it is now, if there is something that no reviewer has cleared."""
    customer = await hold(tx, customer_id, Seen(None))
    now = _Looked(customer.id, customer.name, customer.contact, customer.first_admin)
    cleared = await _cleared(tx, customer)
    fresh = [finding for finding in now.findings(lists) if (finding.entry, finding.name) not in cleared]
    opened = await hold_for(tx, customer, fresh) if customer.status in PRESENT else None
    if opened is None:
        return False
    customer.updated_at = tx.now
    await tx.session.flush()
    tell_customer(tx, customer, opened)
    return True


async def _cleared(tx: Transaction, customer: Customer) -> set[tuple[str | None, str | None]]:
    """Entries of lists and names for which a reviewer has said that they are not the same."""
    decided = select(Review.findings).where(
        Review.partner_id == tx.partner_id, Review.customer_id == customer.id, Review.status == "cleared"
    )
    return {(one.get("entry"), one.get("name")) for findings in await tx.session.scalars(decided) for one in findings}


async def _note(tx: Transaction, run_id: UUID, *, customers: int, found: int, partners: int) -> None:
    run = ScreeningRun
    done = run.partners_done + partners
    await tx.session.execute(
        update(run)
        .where(run.id == run_id)
        .values(
            customers=run.customers + customers,
            found=run.found + found,
            partners_done=done,
            ended_at=case((done >= run.partners, literal(tx.real_now)), else_=run.ended_at),
        )
    )


DUE: Final = (Due(EVERYBODY, spread), Due(PARTNER, look))
