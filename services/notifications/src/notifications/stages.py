"""Stages: a partner's administrators are told in time that one of its customers is about to be disabled or deleted (MKT-19).

Level-triggered: a notice is planned from what the customer's state says, and looks again when its time has
come, so a stage that was moved or stopped meanwhile is not announced. What it says is looked at once
more when it is sent.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid5

from pydantic import TypeAdapter

from chassis import due
from chassis.consumers import Event
from chassis.database import Transaction
from chassis.due import DueItem
from contracts.customers.customers import CustomerChanged
from notifications.rules import administrators, letters, mailing
from notifications.rules.communications import RECIPIENT_GONE, STAGE_CHANGED, HeldBack
from notifications.rules.letters import Letter, Sender
from notifications.rules.links import Links
from notifications.rules.mailing import WriteMail
from notifications.tables.customers import Customer
from notifications.tables.mails import Mail
from notifications.tables.partners import Partner
from notifications.tables.users import User

NOTICE: Final = "mail.stage_notice"
TEMPLATES: Final = {"disable": "stage_disable", "delete": "stage_delete"}
_SPAN: Final = TypeAdapter(timedelta)
_NAMED: Final = 10


async def look(tx: Transaction, event: Event[CustomerChanged]) -> None:
    """Plan what is still to be announced of a customer's stages."""
    customer_id = event.envelope.subject
    for stage in event.record.state.stages:
        for notice in stage.notices:
            at = stage.at - _SPAN.validate_python(notice)
            if at > tx.now:
                await due.plan(tx, NOTICE, stage.id, slot=notice, at=at, payload={"customer_id": str(customer_id)})


async def write(tx: Transaction, item: DueItem) -> None:
    """Write to each active Partner Administrator, if the stage still stands where this notice was planned from."""
    customer = await tx.session.get(Customer, (tx.partner_id, UUID(item.payload["customer_id"])))
    for stage, notice, at in _notices(customer):
        if stage["id"] != str(item.subject) or notice != item.slot or at != item.due_at or customer is None:
            continue
        for one in await tx.session.scalars(administrators.active(tx)):
            mail = WriteMail(
                template=TEMPLATES[stage["verb"]],
                recipient="partner",
                occasion_id=_occasion(stage, notice),
                user=one,
                address=one.email or "",
                customer_id=customer.id,
            )
            await mailing.write(tx, mail)


async def letter(tx: Transaction, mail: Mail, partner: Partner, _links: Links) -> Letter:
    """What is about to happen, when, and what is still to be done before.

    Raises:
        HeldBack: the stage was moved or stopped meanwhile, or nobody is there to read it.
    """
    customer = await tx.session.get(Customer, (tx.partner_id, mail.customer_id))
    reader = await tx.session.get(User, (tx.partner_id, mail.user_id))
    stage = next((one for one, notice, _ in _notices(customer) if _occasion(one, notice) == mail.occasion_id), None)
    if reader is None:
        raise HeldBack(RECIPIENT_GONE)
    if customer is None or stage is None:
        raise HeldBack(STAGE_CHANGED)
    nothing: str = letters.phrases(mail.template, mail.language)[1]["nothing"]
    values = {
        "name": reader.name,
        "company": customer.company,
        "at": datetime.fromisoformat(stage["at"]).date().isoformat(),
        "tasks": "; ".join(stage["tasks"][:_NAMED]) or nothing,
    }
    return letters.write(mail.template, mail.language, sender=Sender.of(partner), link=None, values=values)


def _notices(customer: Customer | None) -> Iterator[tuple[dict[str, Any], str, datetime]]:
    """Each stage with each of its notices, and when that is due."""
    for stage in customer.stages if customer is not None else ():
        for notice in stage["notices"]:
            yield stage, notice, datetime.fromisoformat(stage["at"]) - _SPAN.validate_python(notice)


def _occasion(stage: dict[str, Any], notice: str) -> UUID:
    """One notice of a stage at the time that it has now: of one that was moved it is told again."""
    return uuid5(UUID(stage["id"]), f"{notice} before {stage['at']}")
