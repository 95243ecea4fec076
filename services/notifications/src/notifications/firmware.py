"""Firmware: a customer that requires an update is told to fetch it, and its partner gets a copy (NOT-17, CUS-67).

Only those are told of which licensing says so, once per update. The mail signs nobody in, so it goes to
the contact of a customer that its partner manages too; where the partner manages all communications,
the partner alone is mailed (CUS-58). What is up to date before its mail has gone out is not told any more.
"""

from typing import Final
from uuid import UUID

from sqlalchemy import update

from chassis import due
from chassis.consumers import Event, Step
from chassis.database import Transaction
from chassis.due import DueItem, Retry
from contracts.licensing.firmware import FirmwareUpdateFinished, FirmwareUpdateRequested
from notifications.rules import administrators, letters, mailing
from notifications.rules.communications import PARTNER_MANAGES, UPDATE_NOT_REQUIRED, HeldBack, about_customer
from notifications.rules.letters import Letter, Sender
from notifications.rules.links import Links
from notifications.rules.mailing import Contact, WriteMail
from notifications.tables.customers import Customer
from notifications.tables.mails import Mail
from notifications.tables.partners import Partner

NOTICE: Final = "mail.firmware_notice"
TEMPLATE: Final = "firmware_update"
_SLOT: Final = "notice"
_TRIES: Final = 20
"""After so many, some minutes, a customer that is not known here is one that has gone."""
_ABOVE_COPIES: Final = {None: "copy", PARTNER_MANAGES: "copy_only"}


async def look(tx: Transaction, event: Event[FirmwareUpdateRequested]) -> None:
    """A customer requires an update: plan to write to it."""
    said, about = event.record, event.envelope
    payload = {"customer_id": str(about.customer_id), "product": said.product_name, "appliances": said.appliances}
    await due.plan(tx, NOTICE, about.subject, slot=_SLOT, at=tx.now, payload=payload)


async def write(tx: Transaction, item: DueItem) -> None:
    """Write to the contact, or say why not, and a copy to each active Partner Administrator.

    Raises:
        Retry: the customer is not known here yet.
    """
    customer = await tx.session.get(Customer, (tx.partner_id, UUID(item.payload["customer_id"])))
    if customer is None or customer.contact is None:
        if item.attempts < _TRIES:
            raise Retry.soon("the customer or its contact is not known", item)
        return
    contact = customer.contact
    about = {"product": item.payload["product"], "appliances": item.payload["appliances"], "contact": contact["name"]}
    mail = WriteMail(
        template=TEMPLATE,
        recipient="customer",
        occasion_id=item.subject,
        user=Contact(id=item.subject, name=contact["name"], language=contact["language"]),
        address=contact["email"],
        customer_id=customer.id,
        held_back_by=about_customer(customer, "customer"),
        about=about,
    )
    if await mailing.write(tx, mail) is None:
        return
    for one in (await tx.session.scalars(administrators.active(tx))).all():
        copy = WriteMail(
            template=TEMPLATE,
            recipient="partner",
            occasion_id=item.subject,
            user=one,
            address=one.email or "",
            customer_id=customer.id,
            about=about | {"address": contact["email"]},
        )
        await mailing.write(tx, copy)


async def close(tx: Transaction, event: Event[FirmwareUpdateFinished]) -> None:
    """An update is over: what has not gone out goes nowhere any more."""
    await due.withdraw(tx, NOTICE, event.envelope.subject)
    pending = (Mail.template == TEMPLATE, Mail.occasion_id == event.envelope.subject, Mail.state == "pending")
    closed = update(Mail).where(Mail.partner_id == tx.partner_id, *pending).values(about=Mail.about.op("||")({"closed": True}))
    await tx.session.execute(closed)


async def letter(tx: Transaction, mail: Mail, partner: Partner, _links: Links) -> Letter:
    """What the contact is told, or the partner's copy of it (NOT-17, NOT-18).

    Raises:
        HeldBack: nobody requires the update any more, or the customer may not be mailed.
    """
    about, copied = mail.about or {}, mail.recipient == "partner"
    customer = await tx.session.get(Customer, (tx.partner_id, mail.customer_id))
    rule = UPDATE_NOT_REQUIRED if about.get("closed") else about_customer(customer, "partner" if copied else "customer")
    if customer is None or rule is not None:
        raise HeldBack(str(rule))
    values = {
        "company": customer.company,
        "name": about["contact"],
        "product": about["product"],
        "appliances": str(about["appliances"]),
        "address": about.get("address", ""),
    }
    above = _ABOVE_COPIES[about_customer(customer, "customer")] if copied else None
    return letters.write(TEMPLATE, mail.language, sender=Sender.of(partner), link=None, copy=above, values=values)


STEPS: Final = (
    Step(name="notifications.firmware", record=FirmwareUpdateRequested, handle=look),
    Step(name="notifications.firmware_done", record=FirmwareUpdateFinished, handle=close),
)
