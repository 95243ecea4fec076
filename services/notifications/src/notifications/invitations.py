"""Invitations: a partner's user without a password is mailed the link that sets one, once per link.

A partner's users only: whoever signs in first at a customer is welcomed instead.
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

INVITE: Final = "mail.invitation"
TEMPLATE: Final = "invitation"
_LONGEST_WAIT: Final = timedelta(seconds=30)


async def look(tx: Transaction, event: Event[CredentialLinkRequested]) -> None:
    """Somebody may be sent a link; only an invitation is mailed from here."""
    told = event.record
    if told.purpose == "invitation":
        await due.plan(tx, INVITE, told.link_id, slot="invitation", at=tx.now, payload={"user_id": str(told.user_id)})


async def write(tx: Transaction, item: DueItem) -> None:
    """Write an invitation, unless its user has a password already.

    Raises:
        Retry: the user or its partner is not known here yet.
    """
    user = await tx.session.get(User, (tx.partner_id, UUID(item.payload["user_id"])))
    partner = await tx.session.get(Partner, (tx.partner_id, tx.partner_id))
    if user is None or partner is None or user.email is None:
        raise Retry("the invited user or its partner is not known", after=min(timedelta(seconds=2 ** min(item.attempts, 5)), _LONGEST_WAIT))
    if user.status == "invited" and user.customer_id is None:
        mail = WriteMail(template=TEMPLATE, recipient="partner", occasion_id=item.subject, user=user, address=user.email)
        await mailing.write(tx, mail)


async def letter(tx: Transaction, mail: Mail, partner: Partner, links: Links) -> Letter:
    """The invitation with its link.

    Raises:
        HeldBack: the user is not there any more.
    """
    user = await tx.session.get(User, (tx.partner_id, mail.user_id))
    if user is None:
        raise HeldBack(RECIPIENT_GONE)
    values = {"name": user.name, "address": mail.address}
    return letters.write(
        TEMPLATE, mail.language, sender=Sender.of(partner), link=links.set_password(mail.occasion_id, mail.language), values=values
    )
