"""Off-boarding: mails to a customer's people go with it to its new partner, and all mails about it are forgotten when it is purged (C-2).

Copies that went to the former partner's own people stay with that partner until then. While the customer is being moved nothing goes to
its people.
"""

from typing import Final
from uuid import UUID

from sqlalchemy import CursorResult, delete, literal, or_, select, union_all

from chassis.access import tables
from chassis.consumers import Event, Step
from chassis.database import Transaction
from chassis.due import DueRow
from chassis.erasing import Erasing, Gone
from chassis.rehoming import rehome, rehome_due
from chassis.releasing import Releasing, wait_for
from contracts.customers.customers import CustomerChanged
from notifications.tables.customers import Customer
from notifications.tables.mails import Mail
from notifications.tables.users import User

_ACROSS: Final = {"across_partners": "mails are looked for whosever customer it was once"}


async def _follow(tx: Transaction, event: Event[CustomerChanged]) -> None:
    theirs = (Mail.customer_id == event.envelope.subject, Mail.recipient == "customer", Mail.partner_id != tx.partner_id)
    pending = await tx.session.scalars(select(Mail.id).where(*theirs, Mail.state == "pending"), execution_options=_ACROSS)
    await rehome_due(tx, pending.all())
    await rehome(tx, event.envelope.subject, Mail, where=[Mail.recipient.expression == "customer"])


async def _settle(tx: Transaction, customer_id: UUID) -> None:
    """Its welcome, and mails to its people: who sends one at this moment has told of it before this answers."""
    theirs = (Mail.customer_id == customer_id, Mail.recipient == "customer", Mail.state == "pending")
    await wait_for(tx, union_all(select(Mail.id).where(*theirs), select(literal(customer_id))))


async def _forget(tx: Transaction, gone: Gone) -> dict[str, int]:
    about = or_(Mail.customer_id == gone.customer_id, Mail.user_id.in_(gone.user_ids), Mail.occasion_id.in_(gone.request_ids))
    mails = (await tx.session.scalars(select(Mail.id).where(about), execution_options=_ACROSS)).all()
    await tx.session.execute(delete(DueRow).where(DueRow.subject.in_(mails)), execution_options=_ACROSS | {"synchronize_session": False})
    done = await tx.session.execute(delete(Mail).where(Mail.id.in_(mails)), execution_options=_ACROSS | {"synchronize_session": False})
    return {"mails": done.rowcount if isinstance(done, CursorResult) else 0}


RELEASING: Final = Releasing(service="notifications", settle=_settle)
REHOMING: Final = Step(name="notifications.rehoming", record=CustomerChanged, handle=_follow)
ERASING: Final = Erasing(
    service="notifications",
    follows=(*(noun.metadata.tables[noun.__tablename__] for noun in (Customer, User)), tables.customers, tables.users),
    forget=_forget,
)
