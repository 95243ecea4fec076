"""Consents: a customer's contact is mailed what it is asked, and who asked is told what came of it (CUS-43, CUS-48, BEY-14).

A question goes out whatever the communications choice is: its partner issues it, and nobody else can
answer it (CUS-58). It goes out once, and not any more once it is settled. That of an import is kept
under the root party and forgotten when it is settled, for it names somebody of whom the partner
knows nothing yet.
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, update

from chassis.consumers import Event, Step
from chassis.database import Transaction
from contracts.customers.consents import ConsentRecorded
from contracts.customers.imports import CustomerImportDeclined, CustomerImported, CustomerImportExpired
from notifications.rules import letters, mailing
from notifications.rules.communications import LINK_TAKEN_BACK, HeldBack
from notifications.rules.letters import Letter, Sender
from notifications.rules.links import Links
from notifications.rules.mailing import Contact, WriteMail
from notifications.tables.customers import Customer
from notifications.tables.mails import Mail
from notifications.tables.partners import Partner
from notifications.tables.users import User

QUESTIONS: Final[Mapping[str, str]] = {
    "import": "consent_import",
    "management_change": "consent_management",
    "console_launch": "consent_launch",
}
"""The template of each kind of question."""
OUTCOME: Final = "consent_outcome"
_TOLD: Final = frozenset({"granted", "declined", "expired"})


async def look(tx: Transaction, event: Event[ConsentRecorded]) -> None:
    """A consent was recorded: ask, or take the question back, and tell who asked."""
    told, consent_id = event.record, event.envelope.subject
    if told.kind not in QUESTIONS:
        return
    if told.state == "requested":
        await _ask(tx, event)
        return
    await _close(tx, consent_id, forget=told.kind == "import")
    if told.kind != "import" and told.state in _TOLD and told.asked_by is not None:
        customer = await tx.session.get(Customer, (tx.partner_id, event.envelope.customer_id))
        about = {"kind": told.kind, "outcome": told.state, "whose": customer.company if customer else ""}
        await _tell(tx, consent_id, told.asked_by, about, customer_id=event.envelope.customer_id)


async def look_at_import(tx: Transaction, event: Event[CustomerImported | CustomerImportDeclined | CustomerImportExpired]) -> None:
    """An import has ended: tell who asked for it."""
    told = event.record
    match told:
        case CustomerImported():
            import_id, outcome = told.import_id, "granted"
        case CustomerImportDeclined():
            import_id, outcome = event.envelope.subject, "declined" if told.reason == "customer" else told.reason
        case _:
            import_id, outcome = event.envelope.subject, "expired"
    if told.requested_by is not None:
        about = {"kind": "import", "outcome": outcome, "whose": told.email}
        await _tell(tx, import_id, told.requested_by, about, customer_id=event.envelope.customer_id)


async def question(_tx: Transaction, mail: Mail, partner: Partner, links: Links) -> Letter:
    """What the contact is asked, with the link that answers it.

    Raises:
        HeldBack: it is settled by now.
    """
    about = mail.about or {}
    if about.get("closed"):
        raise HeldBack(LINK_TAKEN_BACK)
    _, words = letters.phrases(mail.template, mail.language)
    values = {
        "name": mail.reader or "",
        "company": about["company"],
        "until": about["until"],
        "managed": words.get("managed", {}).get(about["management_type"] or "as_it_is", "").format(partner=partner.name),
    }
    link = links.answer(mail.occasion_id, mail.language)
    return letters.write(mail.template, mail.language, sender=Sender.of(partner), link=link, values=values)


async def outcome(tx: Transaction, mail: Mail, partner: Partner, _links: Links) -> Letter:
    """What came of a question, for who asked it."""
    user = await tx.session.get_one(User, (tx.partner_id, mail.user_id))
    about = mail.about or {}
    _, words = letters.phrases(OUTCOME, mail.language)
    values = {
        "name": user.name,
        "whose": about["whose"],
        "what": words["what"][about["kind"]],
        "outcome": words["outcomes"][about["outcome"]],
    }
    return letters.write(OUTCOME, mail.language, sender=Sender.of(partner), link=None, values=values)


async def _ask(tx: Transaction, event: Event[ConsentRecorded]) -> None:
    told, consent_id = event.record, event.envelope.subject
    if told.ask is None or told.expires_at is None:
        return
    mail = WriteMail(
        template=QUESTIONS[told.kind],
        recipient="customer",
        occasion_id=consent_id,
        user=Contact(id=consent_id, name=told.ask.name, language=told.ask.language),
        address=told.ask.email,
        customer_id=event.envelope.customer_id,
        in_name_of=told.asked_by_partner_id,
        about={
            "company": told.ask.company,
            "management_type": told.scope.get("management_type"),
            "until": told.expires_at.date().isoformat(),
        },
    )
    await mailing.write(tx, mail)


async def _close(tx: Transaction, consent_id: UUID, *, forget: bool) -> None:
    """A question that is settled goes nowhere any more; nothing stays of one that is to be forgotten."""
    asked = (Mail.partner_id == tx.partner_id, Mail.occasion_id == consent_id, Mail.recipient == "customer")
    if forget:
        await tx.session.execute(delete(Mail).where(*asked))
        return
    await tx.session.execute(update(Mail).where(*asked, Mail.state == "pending").values(about=Mail.about.op("||")({"closed": True})))


async def _tell(tx: Transaction, occasion_id: UUID, user_id: UUID, about: Mapping[str, Any], *, customer_id: UUID | None) -> None:
    user = await tx.session.get(User, (tx.partner_id, user_id))
    if user is None or user.email is None:
        return
    mail = WriteMail(
        template=OUTCOME,
        recipient="partner",
        occasion_id=occasion_id,
        user=user,
        address=user.email,
        customer_id=customer_id,
        about=about,
    )
    await mailing.write(tx, mail)


STEPS: Final = (
    Step(name="notifications.consents", record=ConsentRecorded, handle=look),
    Step(name="notifications.imported", record=CustomerImported, handle=look_at_import),
    Step(name="notifications.import_declined", record=CustomerImportDeclined, handle=look_at_import),
    Step(name="notifications.import_expired", record=CustomerImportExpired, handle=look_at_import),
)
