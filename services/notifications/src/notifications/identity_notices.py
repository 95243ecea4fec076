"""Notices of identity: whoever's way of signing in was changed is mailed, and a partner's administrators when an API key was made.

They are for safety (NIST SP 800-63B 4.6, OWASP ASVS 6.3.7), so no communications choice holds them back. A first password is
no change: its user was mailed the link. A notice is written once per fact, as soon as its user is known here.
"""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from chassis import due
from chassis.consumers import Event, Step
from chassis.database import Transaction
from chassis.due import Due, DueItem, Retry
from contracts.customers.users import UserCreated, UserUpdated
from notifications.rules import administrators, letters, mailing
from notifications.rules.communications import RECIPIENT_GONE, HeldBack
from notifications.rules.letters import Letter, Sender
from notifications.rules.links import Links
from notifications.rules.mailing import WriteMail
from notifications.tables.mails import Mail
from notifications.tables.partners import Partner
from notifications.tables.users import User

NOTICE: Final = "mail.identity_notice"
API_KEY: Final = "api_key_made"
BY_FIELD: Final[Mapping[str, str]] = {
    "password": "password_changed",
    "second_factor": "second_factor_changed",
    "recovery_codes": "recovery_codes_changed",
}
"""The template of each change that its user is mailed of."""
_FIRST: Final = "status"


async def look(tx: Transaction, event: Event[UserUpdated]) -> None:
    """Something was changed of a user: of what matters to its sign-in it is mailed."""
    fields = event.record.fields
    for field, template in BY_FIELD.items():
        if field in fields and _FIRST not in fields:
            payload = {"user_id": str(event.envelope.subject), "template": template}
            await due.plan(tx, NOTICE, event.envelope.id, slot=template, at=tx.now, payload=payload)


async def look_at_key(tx: Transaction, event: Event[UserCreated]) -> None:
    """A user was made: of an API key the administrators are mailed."""
    if event.record.kind == "service":
        payload = {"user_id": str(event.envelope.subject), "template": API_KEY}
        await due.plan(tx, NOTICE, event.envelope.id, slot=API_KEY, at=tx.now, payload=payload)


async def write(tx: Transaction, item: DueItem) -> None:
    """Write the notice to the user, or to the administrators of its partner.

    Raises:
        Retry: the user is not known here yet.
    """
    user = await tx.session.get(User, (tx.partner_id, UUID(item.payload["user_id"])))
    if user is None:
        raise Retry.soon("the user is not known", item)
    template = str(item.payload["template"])
    of_key = template == API_KEY
    readers = (await tx.session.scalars(administrators.active(tx))).all() if of_key else [user]
    for one in readers:
        if one.email is not None:
            mail = WriteMail(
                template=template,
                recipient="customer" if one.customer_id else "partner",
                occasion_id=item.subject,
                user=one,
                address=one.email,
                customer_id=one.customer_id,
                about={"key": user.name} if of_key else None,
            )
            await mailing.write(tx, mail)


async def letter(tx: Transaction, mail: Mail, partner: Partner, _links: Links) -> Letter:
    """What was changed, and what to do if that was somebody else.

    Raises:
        HeldBack: nobody is there to read it.
    """
    reader = await tx.session.get(User, (tx.partner_id, mail.user_id))
    if reader is None:
        raise HeldBack(RECIPIENT_GONE)
    values = {"name": reader.name, "address": mail.address, **(mail.about or {})}
    return letters.write(mail.template, mail.language, sender=Sender.of(partner), link=None, values=values)


TEMPLATES: Final = (*BY_FIELD.values(), API_KEY)
STEPS: Final = (
    Step(name="notifications.identity_notices", record=UserUpdated, handle=look),
    Step(name="notifications.api_key_notices", record=UserCreated, handle=look_at_key),
)
DUE: Final = Due(NOTICE, write)
