"""Deliveries: a mail goes out through the mail server, and what became of it is written down and told.

The message is rendered here, at the last moment, from what is known now; whether it may still go
is decided here again. A kill between the server's yes and our commit sends it a second time, as
the same message under the same ``Message-ID``, and nothing else does.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Final

from chassis.database import Transaction
from chassis.due import DueItem, Retry
from chassis.ids import made_at
from contracts.notifications.notifications import (
    NotificationFact,
    NotificationFailed,
    NotificationSent,
    NotificationSuppressed,
    RecipientRole,
)
from notifications.channels import smtp
from notifications.rules import messages, staying
from notifications.rules.communications import HeldBack, to_user
from notifications.rules.headers import HeaderRefused, mailbox
from notifications.rules.letters import Letter
from notifications.rules.links import Links
from notifications.rules.messages import Parties
from notifications.rules.telling import tell_mail
from notifications.tables.mails import Mail
from notifications.tables.partners import Partner
from notifications.tables.users import User

type Writer = Callable[[Transaction, Mail, Partner, Links], Awaitable[Letter]]
"""Writes the letter of one template, or raises ``HeldBack``."""

MOST_DEFERRALS: Final = 60
"""A message that the server puts off is given up after so many tries, about two days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What it takes to send: the server, whom mails come from, and what links are made of."""

    server: smtp.Server
    mail_from: str
    links: Links


@dataclass(frozen=True, slots=True)
class _Outcome:
    """How a mail ended. ``reason`` stays here, for it may name people; the fact does not."""

    state: str
    fact: NotificationFact
    reason: str | None = None


async def send(tx: Transaction, item: DueItem, *, desk: Desk, writers: Mapping[str, Writer]) -> None:
    """Send one mail, once; what was settled before changes nothing.

    Raises:
        Retry: the server is away, or takes the message later; or whose people it goes to is being moved.
    """
    mail = await tx.session.get(Mail, (tx.partner_id, item.subject))
    if mail is None or mail.state != "pending":
        return
    if mail.recipient == "customer":
        await staying.look(tx, mail.customer_id)
    outcome = await _attempt(tx, mail, item, desk, writers)
    mail.state, mail.reason = outcome.state, outcome.reason
    mail.attempts, mail.settled_at = item.attempts + 1, tx.now
    await tx.session.flush()
    tell_mail(tx, mail, outcome.fact)


async def _attempt(tx: Transaction, mail: Mail, item: DueItem, desk: Desk, writers: Mapping[str, Writer]) -> _Outcome:
    template, recipient = mail.template, _role(mail)
    try:
        message = await _message(tx, mail, desk, writers[template])
        mail.message_id, mail.subject = str(message["Message-ID"]), str(message["Subject"])
        await _hand_over(desk.server, message, item)
    except HeldBack as held:
        return _Outcome("suppressed", NotificationSuppressed(template=template, recipient=recipient, rule=held.rule), held.rule)
    except HeaderRefused as refused:
        fact = NotificationFailed(template=template, recipient=recipient, reason="header_refused")
        return _Outcome("failed", fact, f"header refused: {refused}")
    except smtp.Refused as refused:
        fact = NotificationFailed(template=template, recipient=recipient, reason=f"smtp {refused.code}")
        return _Outcome("failed", fact, str(refused)[:500])
    return _Outcome("sent", NotificationSent(template=template, recipient=recipient, message_id=mail.message_id))


async def _message(tx: Transaction, mail: Mail, desk: Desk, writer: Writer) -> EmailMessage:
    """The message as it is now. Answers to it go to the partner's support (NOT-18)."""
    name = mail.reader or await _name_of(tx, mail)
    writing = mail.in_name_of or tx.partner_id
    partner = await tx.session.get(Partner, (writing, writing))
    if partner is None:
        raise Retry("the partner that writes is not known")
    parties = Parties(
        sender=desk.mail_from,
        to=mailbox(name, mail.address),
        reply_to=mailbox(partner.name, partner.support_email) if partner.support_email else None,
    )
    letter = await writer(tx, mail, partner, desk.links)
    at = made_at(mail.id) if tx.sandbox else mail.created_at
    return messages.build(letter, parties, message_id=messages.message_id(mail.id, desk.mail_from), at=at, sandbox=tx.sandbox)


async def _name_of(tx: Transaction, mail: Mail) -> str:
    user = await tx.session.get(User, (tx.partner_id, mail.user_id))
    rule = to_user(user)
    if user is None or rule is not None:
        raise HeldBack(str(rule))
    return user.name


async def _hand_over(server: smtp.Server, message: EmailMessage, item: DueItem) -> None:
    try:
        await smtp.hand_over(server, message)
    except smtp.Unavailable as away:
        raise Retry.soon(str(away), item) from away
    except smtp.Deferred as later:
        if item.attempts + 1 >= MOST_DEFERRALS:
            raise smtp.Refused(later.code, later.says) from later
        raise Retry(later.code) from later


def _role(mail: Mail) -> RecipientRole:
    return "customer" if mail.recipient == "customer" else "partner"
