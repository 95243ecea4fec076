"""Reviews: a partner is told that a customer is held for a person to look at it, and what was decided (CUS-13, CUS-14).

Written to are its administrators and whoever asked for what is looked at. Who was told of the hold is
told how it ended, and nobody at the customer is.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import or_, select

from chassis.consumers import Event, Step
from chassis.database import Transaction
from chassis.due import Retry
from contracts.customers.customers import CustomerReviewCleared, CustomerReviewOpened, CustomerReviewRejected
from notifications.rules import administrators, letters, mailing
from notifications.rules.communications import RECIPIENT_GONE, HeldBack
from notifications.rules.letters import Letter, Sender
from notifications.rules.links import Links
from notifications.rules.mailing import WriteMail
from notifications.tables.customers import Customer
from notifications.tables.mails import Mail
from notifications.tables.partners import Partner
from notifications.tables.users import User

OPENED: Final = "review_opened"
CLEARED: Final = "review_cleared"
REJECTED: Final = "review_rejected"
TEMPLATES: Final = (OPENED, CLEARED, REJECTED)


async def look(tx: Transaction, event: Event[CustomerReviewOpened | CustomerReviewCleared | CustomerReviewRejected]) -> None:
    """A review began or was decided: write to whom it concerns."""
    match event.record:
        case CustomerReviewOpened() as opened:
            await _write(tx, event, OPENED, {}, asked_by=opened.asked_by)
        case CustomerReviewRejected() as rejected:
            await _write(tx, event, REJECTED, {"reason": rejected.reason})
        case _:
            await _write(tx, event, CLEARED, {})


async def _write(tx: Transaction, event: Event[Any], template: str, about: Mapping[str, str], *, asked_by: UUID | None = None) -> None:
    said = event.envelope
    for one in await _readers(tx, said.customer_id, asked_by):
        mail = WriteMail(
            template=template,
            recipient="partner",
            occasion_id=said.id,
            user=one,
            address=one.email or "",
            customer_id=said.customer_id,
            about=about,
        )
        await mailing.write(tx, mail)


async def _readers(tx: Transaction, customer_id: UUID | None, asked_by: UUID | None) -> Sequence[User]:
    told = select(Mail.user_id).where(Mail.partner_id == tx.partner_id, Mail.customer_id == customer_id, Mail.template == OPENED)
    people = select(User).where(User.partner_id == tx.partner_id, User.kind == "partner", User.status == "active", User.email.is_not(None))
    concerned = people.where(or_(User.id == asked_by, User.id.in_(told))).order_by(User.id)
    found = [*await tx.session.scalars(administrators.active(tx)), *await tx.session.scalars(concerned)]
    return list({one.id: one for one in found}.values())


async def letter(tx: Transaction, mail: Mail, partner: Partner, _links: Links) -> Letter:
    """Which customer it is, and what to do.

    Raises:
        HeldBack: nobody is there to read it.
        Retry: the customer's state has not arrived.
    """
    reader = await tx.session.get(User, (tx.partner_id, mail.user_id))
    if reader is None:
        raise HeldBack(RECIPIENT_GONE)
    customer = await tx.session.get(Customer, (tx.partner_id, mail.customer_id))
    if customer is None:
        raise Retry("the customer is not known yet")
    values = {"name": reader.name, "company": customer.company, **(mail.about or {})}
    return letters.write(mail.template, mail.language, sender=Sender.of(partner), link=None, values=values)


STEPS: Final = (
    Step(name="notifications.review_opened", record=CustomerReviewOpened, handle=look),
    Step(name="notifications.review_cleared", record=CustomerReviewCleared, handle=look),
    Step(name="notifications.review_rejected", record=CustomerReviewRejected, handle=look),
)
