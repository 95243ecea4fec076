"""Changes of a login address: the new one is written to that it confirms, the old one that it may take the change back.

Level-triggered: a user's state says how its change stands, and each of both mails is written once per
change (``mails_once``).
"""

from typing import Final

from chassis.consumers import Event
from chassis.database import Transaction
from contracts.customers.users import EmailChange, UserChanged
from notifications.rules import letters, mailing
from notifications.rules.communications import LINK_TAKEN_BACK, RECIPIENT_GONE, HeldBack
from notifications.rules.letters import Letter, Sender
from notifications.rules.links import Links
from notifications.rules.mailing import WriteMail
from notifications.tables.mails import Mail
from notifications.tables.partners import Partner
from notifications.tables.users import User

CONFIRM: Final = "email_change"
UNDO: Final = "email_changed"


async def look(tx: Transaction, event: Event[UserChanged]) -> None:
    """Write to the new address while the change waits for it, and to the old one once it was made."""
    change = event.record.state.email_change
    user = await tx.session.get(User, (tx.partner_id, event.record.state.id))
    if change is None or user is None or user.email_change is None:
        return
    await mailing.write(
        tx,
        WriteMail(
            template=UNDO if change.confirmed else CONFIRM,
            recipient="customer" if user.customer_id else "partner",
            occasion_id=change.undo_id if change.confirmed else change.id,
            user=user,
            address=change.old if change.confirmed else change.new,
            customer_id=user.customer_id,
        ),
    )


async def letter(tx: Transaction, mail: Mail, partner: Partner, links: Links) -> Letter:
    """Either mail, with its link.

    Raises:
        HeldBack: the user is not there any more, or the change does not stand as it stood.
    """
    user = await tx.session.get(User, (tx.partner_id, mail.user_id))
    if user is None:
        raise HeldBack(RECIPIENT_GONE)
    change = EmailChange.model_validate(user.email_change) if user.email_change else None
    if change is None or mail.occasion_id != (change.undo_id if mail.template == UNDO else change.id):
        raise HeldBack(LINK_TAKEN_BACK)
    link = links.to("undo" if mail.template == UNDO else "email", mail.occasion_id, mail.language)
    values = {"name": user.name, "old": change.old, "new": change.new}
    return letters.write(mail.template, mail.language, sender=Sender.of(partner), link=link, values=values)
