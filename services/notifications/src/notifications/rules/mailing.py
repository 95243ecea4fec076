"""Writing a mail down: once per template, occasion and user, to be sent as due work of its own; and letting go what was held back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

from chassis import due
from chassis.database import Transaction
from contracts.notifications.notifications import NotificationSuppressed, RecipientRole
from notifications.rules.telling import tell_mail
from notifications.tables.mails import Mail
from notifications.tables.users import User

SEND: Final = "mail.send"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A reader who is no user; ``id`` is that of what it is asked."""

    id: UUID
    name: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteMail:
    """``held_back_by`` names the rule that keeps the mail from going out; ``about`` is what its letter will say."""

    template: str
    recipient: RecipientRole
    occasion_id: UUID
    user: User | Contact
    address: str
    customer_id: UUID | None = None
    held_back_by: str | None = None
    awaits_copies: bool = False
    in_name_of: UUID | None = None
    about: Mapping[str, Any] | None = None


async def write(tx: Transaction, command: WriteMail) -> UUID | None:
    """Write a mail down and plan its sending, or tell that it is held back; None when it was written before."""
    held = command.held_back_by is not None
    row = insert(Mail).values(
        partner_id=tx.partner_id,
        id=tx.new_id(),
        version=1 if held else 0,
        customer_id=command.customer_id,
        template=command.template,
        recipient=command.recipient,
        occasion_id=command.occasion_id,
        user_id=command.user.id,
        address=command.address,
        language=command.user.language,
        state="suppressed" if held else "pending",
        attempts=0,
        reason=command.held_back_by,
        created_at=tx.now,
        settled_at=tx.now if held else None,
        awaits_copies=command.awaits_copies,
        reader=command.user.name if isinstance(command.user, Contact) else None,
        in_name_of=command.in_name_of,
        about=dict(command.about) if command.about is not None else None,
    )
    mail = (await tx.session.execute(row.on_conflict_do_nothing(constraint="mails_once").returning(Mail))).scalar_one_or_none()
    if mail is None:
        return None
    if command.held_back_by is not None:
        tell_mail(tx, mail, NotificationSuppressed(template=mail.template, recipient=command.recipient, rule=command.held_back_by))
    else:
        await due.plan(tx, SEND, mail.id, slot="send", at=tx.now)
    return mail.id


async def release(tx: Transaction, command: WriteMail, *, rule: str) -> None:
    """Let a mail go that this rule held back, to where its reader is now; any other is left as it is."""
    held = (Mail.template == command.template, Mail.occasion_id == command.occasion_id, Mail.user_id == command.user.id)
    released = await tx.session.execute(
        update(Mail)
        .where(Mail.partner_id == tx.partner_id, *held, Mail.state == "suppressed", Mail.reason == rule)
        .values(
            state="pending",
            reason=None,
            settled_at=None,
            created_at=tx.now,
            address=command.address,
            language=command.user.language,
        )
        .returning(Mail.id)
    )
    mail_id = released.scalar_one_or_none()
    if mail_id is not None:
        await due.plan(tx, SEND, mail_id, slot="send", at=tx.now)
