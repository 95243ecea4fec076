"""Links that set a password: who was invited, or asked for another password, is mailed it, once per link.

An invitation is for a partner's user without a password; whoever signs in first at a customer is
welcomed instead. A reset goes to customers' users too, whatever the communications choice says:
they asked for it themselves. Whether they may sign in was decided before the link was told of.
"""

from collections.abc import Mapping
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

WORK: Final[Mapping[str, str]] = {"invitation": "mail.invitation", "password_reset": "mail.password_reset"}
"""The due work by which each template is written; a link's purpose is its template's name."""


async def look(tx: Transaction, event: Event[CredentialLinkRequested]) -> None:
    """Somebody may be sent a link; that of a welcome is mailed with the welcome."""
    told = event.record
    if told.purpose in WORK:
        await due.plan(tx, WORK[told.purpose], told.link_id, slot="link", at=tx.now, payload={"user_id": str(told.user_id)})


async def write_invitation(tx: Transaction, item: DueItem) -> None:
    """Write an invitation, unless its user has a password already.

    Raises:
        Retry: the user or its partner is not known here yet.
    """
    user = await _user(tx, item)
    if user.status == "invited" and user.customer_id is None:
        await _write(tx, item, "invitation", user)


async def write_reset(tx: Transaction, item: DueItem) -> None:
    """Write the mail that another password is set with, to where the user signs in.

    Raises:
        Retry: the user or its partner is not known here yet.
    """
    await _write(tx, item, "password_reset", await _user(tx, item))


async def _user(tx: Transaction, item: DueItem) -> User:
    user = await tx.session.get(User, (tx.partner_id, UUID(item.payload["user_id"])))
    if user is None or await tx.session.get(Partner, (tx.partner_id, tx.partner_id)) is None:
        raise Retry.soon("the user or its partner is not known", item)
    return user


async def _write(tx: Transaction, item: DueItem, template: str, user: User) -> None:
    if user.email is not None:
        await mailing.write(
            tx,
            WriteMail(
                template=template,
                recipient="customer" if user.customer_id else "partner",
                occasion_id=item.subject,
                user=user,
                address=user.email,
                customer_id=user.customer_id,
            ),
        )


async def letter(tx: Transaction, mail: Mail, partner: Partner, links: Links) -> Letter:
    """Either mail, with its link.

    Raises:
        HeldBack: the user is not there any more.
    """
    user = await tx.session.get(User, (tx.partner_id, mail.user_id))
    if user is None:
        raise HeldBack(RECIPIENT_GONE)
    link = links.set_password(mail.occasion_id, mail.language)
    return letters.write(
        mail.template, mail.language, sender=Sender.of(partner), link=link, values={"name": user.name, "address": mail.address}
    )
