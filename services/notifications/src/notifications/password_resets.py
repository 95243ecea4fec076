"""Password resets: whoever asked for it is mailed the link that sets another password, once per link.

Customers' users too, whatever the communications choice says: they asked for it themselves. Whether
they may sign in was decided before the link was told of.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

from chassis import due
from chassis.consumers import Event
from chassis.database import Transaction
from chassis.due import DueItem, Retry
from contracts.customers.credentials import CredentialLinkRequested
from notifications.rules import letters, mailing
from notifications.rules.communications import RECIPIENT_GONE, HeldBack
from notifications.rules.letters import Letter, Sender
from notifications.rules.links import Links
from notifications.rules.mailing import WriteMail
from notifications.tables.mails import Mail
from notifications.tables.partners import Partner
from notifications.tables.users import User

RESET: Final = "mail.password_reset"
TEMPLATE: Final = "password_reset"
_LONGEST_WAIT: Final = timedelta(seconds=30)


async def look(tx: Transaction, event: Event[CredentialLinkRequested]) -> None:
    """Somebody may be sent a link; only a reset is mailed from here."""
    told = event.record
    if told.purpose == "password_reset":
        await due.plan(tx, RESET, told.link_id, slot="reset", at=tx.now, payload={"user_id": str(told.user_id)})


async def write(tx: Transaction, item: DueItem) -> None:
    """Write the mail, to where the user signs in.

    Raises:
        Retry: the user or its partner is not known here yet.
    """
    user = await tx.session.get(User, (tx.partner_id, UUID(item.payload["user_id"])))
    partner = await tx.session.get(Partner, (tx.partner_id, tx.partner_id))
    if user is None or partner is None:
        raise Retry("the user or its partner is not known", after=min(timedelta(seconds=2 ** min(item.attempts, 5)), _LONGEST_WAIT))
    if user.email is not None:
        await mailing.write(
            tx,
            WriteMail(
                template=TEMPLATE,
                recipient="customer" if user.customer_id else "partner",
                occasion_id=item.subject,
                user=user,
                address=user.email,
                customer_id=user.customer_id,
            ),
        )


async def letter(tx: Transaction, mail: Mail, partner: Partner, links: Links) -> Letter:
    """The mail with its link.

    Raises:
        HeldBack: the user is not there any more.
    """
    user = await tx.session.get(User, (tx.partner_id, mail.user_id))
    if user is None:
        raise HeldBack(RECIPIENT_GONE)
    link = links.set_password(mail.occasion_id, mail.language)
    return letters.write(TEMPLATE, mail.language, sender=Sender.of(partner), link=link, values={"name": user.name, "address": mail.address})
