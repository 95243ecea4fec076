"""The welcome mail: who is to sign in first at a new customer is written to once, and the partner gets its copy.

Level-triggered: whatever happened, the customer is looked at as it is now. A welcome is due while
the customer is active and has a welcome link; what is not known here yet is waited for. The mail
to the first administrator is written, or held back, once per link (``mails_once``), and whoever
writes it plans the copies, so they are decided once as well.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Select, any_, exists, select

from chassis import due
from chassis.access.permissions import Permission
from chassis.consumers import Event
from chassis.database import Transaction
from chassis.due import DueItem, Retry
from contracts.customers.customers import CustomerChanged
from notifications.rules import letters, mailing
from notifications.rules.communications import CUSTOMER_NOT_ACTIVE, RECIPIENT_GONE, HeldBack, about_customer
from notifications.rules.letters import Letter, Sender
from notifications.rules.links import Links
from notifications.rules.mailing import WriteMail
from notifications.tables.customers import Customer
from notifications.tables.mails import Mail
from notifications.tables.partners import Partner
from notifications.tables.users import Role, User

WELCOME: Final = "mail.welcome"
COPY: Final = "mail.welcome_copy"
TEMPLATE: Final = "welcome"
_LONGEST_WAIT: Final = timedelta(seconds=30)


async def look(tx: Transaction, event: Event[CustomerChanged]) -> None:
    """A customer changed: while it is active and a welcome is wanted, look whether it was welcomed (CUS-25)."""
    state = event.record.state
    if state.status == "active" and state.welcome_link_id is not None:
        await due.plan(tx, WELCOME, state.id, slot="customer", at=tx.now)


async def write(tx: Transaction, item: DueItem) -> None:
    """Write what is still missing of a customer's welcome (NOT-12, CUS-04).

    Raises:
        Retry: its partner or its first administrator is not known here yet.
    """
    customer = await tx.session.get(Customer, (tx.partner_id, item.subject))
    if customer is None or customer.status != "active" or customer.welcome_link_id is None:
        return
    partner = await tx.session.get(Partner, (tx.partner_id, tx.partner_id))
    admin = await tx.session.get(User, (tx.partner_id, customer.first_admin_id))
    if partner is None or admin is None or admin.email is None:
        raise _not_yet("the customer's partner or first administrator is not known", item)
    mail = WriteMail(
        template=TEMPLATE,
        recipient="customer",
        occasion_id=customer.welcome_link_id,
        user=admin,
        address=admin.email,
        customer_id=customer.id,
        held_back_by=about_customer(customer, "customer"),
    )
    if await mailing.write(tx, mail) is not None:
        await due.plan(tx, COPY, customer.id, slot=str(customer.welcome_link_id), at=tx.now)


async def write_copies(tx: Transaction, item: DueItem) -> None:
    """Write a copy to each active Partner Administrator, also when the customer itself is not mailed (CUS-05, CUS-58).

    Raises:
        Retry: none is known here yet.
    """
    customer = await tx.session.get(Customer, (tx.partner_id, item.subject))
    if customer is None:
        return
    administrators = (await tx.session.scalars(_administrators(tx))).all()
    if not administrators:
        raise _not_yet("no active Partner Administrator of the partner is known", item)
    for one in administrators:
        copy = WriteMail(
            template=TEMPLATE,
            recipient="partner",
            occasion_id=UUID(item.slot),
            user=one,
            address=one.email or "",
            customer_id=customer.id,
        )
        await mailing.write(tx, copy)


async def letter(tx: Transaction, mail: Mail, partner: Partner, links: Links) -> Letter:
    """The first administrator's welcome with its link, or the partner's copy without it (CUS-05, NOT-18).

    Raises:
        HeldBack: the customer may not be mailed any more.
    """
    copied = mail.recipient == "partner"
    customer = await tx.session.get(Customer, (tx.partner_id, mail.customer_id))
    rule = about_customer(customer, "partner" if copied else "customer")
    if customer is None or rule is not None:
        raise HeldBack(rule or CUSTOMER_NOT_ACTIVE)
    admin = await tx.session.get(User, (tx.partner_id, customer.first_admin_id))
    if admin is None:
        raise HeldBack(RECIPIENT_GONE)
    mailed = about_customer(customer, "customer") is None
    return letters.write(
        TEMPLATE,
        mail.language,
        sender=Sender.of(partner),
        link=None if copied else links.set_password(mail.occasion_id),
        copy=("copy" if mailed else "copy_only") if copied else None,
        values={"company": customer.company, "name": admin.name, "address": admin.email or ""},
    )


def _not_yet(reason: str, item: DueItem) -> Retry:
    return Retry(reason, after=min(timedelta(seconds=2 ** min(item.attempts, 5)), _LONGEST_WAIT))


def _administrators(tx: Transaction) -> Select[User]:
    """The partner's active users with the predefined role that manages the partner itself (CUS-79)."""
    manages = (
        exists()
        .where(Role.partner_id == tx.partner_id, Role.id == any_(User.role_ids), Role.predefined)
        .where(Role.permissions.contains([str(Permission.PARTNER_MANAGE)]))
    )
    return (
        select(User)
        .where(User.partner_id == tx.partner_id, User.kind == "partner", User.status == "active", User.email.is_not(None), manages)
        .order_by(User.id)
    )
