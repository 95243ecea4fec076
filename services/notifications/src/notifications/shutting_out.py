"""Shutting out: the administrators of a partner are told that a customer, or a partner below, has closed itself to them (MKT-05).

A state says since when; that is told once to each administrator (``mails_once``), and to nobody who comes later. Whatever a
sandbox does stays in it.
"""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID, uuid5

from chassis.consumers import Event, Step
from chassis.database import Transaction
from contracts.customers.customers import CustomerChanged
from contracts.customers.partners import PartnerChanged
from contracts.root import ROOT_PARTNER_ID
from notifications.rules import administrators, letters, mailing
from notifications.rules.communications import RECIPIENT_GONE, HeldBack
from notifications.rules.letters import Letter, Sender
from notifications.rules.links import Links
from notifications.rules.mailing import WriteMail
from notifications.tables.mails import Mail
from notifications.tables.partners import Partner
from notifications.tables.users import User

BY_CUSTOMER: Final = "shut_out_by_customer"
BY_PARTNER: Final = "shut_out_by_partner"
_NEWS: Final = timedelta(days=1)


async def look_at_customer(tx: Transaction, event: Event[CustomerChanged]) -> None:
    """Tell its partner, where the customer has closed itself just now."""
    state = event.record.state
    if _is_news(tx, state.shut_out_at):
        await _write(tx, BY_CUSTOMER, state.id, state.shut_out_at, {"company": state.company.name}, customer_id=state.id)


async def look_at_partner(tx: Transaction, event: Event[PartnerChanged]) -> None:
    """Tell all partners above it but the operator, whom it shuts out of nothing."""
    state = event.record.state
    if state.sandbox or not _is_news(tx, state.shut_out_at):
        return
    for above in state.ancestors:
        if above != ROOT_PARTNER_ID:
            async with tx.beside(above) as theirs:
                await _write(theirs, BY_PARTNER, state.id, state.shut_out_at, {"below": state.name})


async def letter(tx: Transaction, mail: Mail, partner: Partner, _links: Links) -> Letter:
    """Who has closed itself to whom.

    Raises:
        HeldBack: nobody is there to read it.
    """
    reader = await tx.session.get(User, (tx.partner_id, mail.user_id))
    if reader is None:
        raise HeldBack(RECIPIENT_GONE)
    values = {"name": reader.name, **(mail.about or {})}
    return letters.write(mail.template, mail.language, sender=Sender.of(partner), link=None, values=values)


def _is_news(tx: Transaction, since: datetime | None) -> bool:
    return since is not None and since > tx.now - _NEWS


async def _write(
    tx: Transaction, template: str, whose: UUID, since: datetime | None, about: dict[str, str], *, customer_id: UUID | None = None
) -> None:
    for one in await tx.session.scalars(administrators.active(tx)):
        mail = WriteMail(
            template=template,
            recipient="partner",
            occasion_id=uuid5(whose, f"shut out at {since}"),
            user=one,
            address=one.email or "",
            customer_id=customer_id,
            about=about,
        )
        await mailing.write(tx, mail)


STEPS: Final = (
    Step(name="notifications.shut_out_by_customer", record=CustomerChanged, handle=look_at_customer),
    Step(name="notifications.shut_out_by_partner", record=PartnerChanged, handle=look_at_partner),
)
