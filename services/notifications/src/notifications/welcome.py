"""The welcome mail: who is to sign in first at a new customer is written to once, and the partner gets its copy.

Level-triggered: whatever happened, the customer is looked at as it is now. A welcome is due while
the customer is active and has a welcome link; what is not known here yet is waited for. The mail
to the first administrator is written, or held back, once per link (``mails_once``); one that was
held back because nobody at the customer may sign in goes out when they may. Whoever writes it
plans the copies, so they are decided once as well; where nobody can be given one, the mail keeps
``awaits_copies`` until the partner's users or roles change.
"""

from typing import Final
from uuid import UUID

from sqlalchemy import select, update

from chassis import due
from chassis.consumers import Event
from chassis.database import Transaction
from chassis.due import DueItem, Retry
from contracts.customers.customers import CustomerChanged
from contracts.customers.roles import RoleChanged
from contracts.customers.users import UserChanged
from notifications.rules import administrators, letters, mailing, staying
from notifications.rules.communications import (
    CUSTOMER_NOT_ACTIVE,
    LINK_TAKEN_BACK,
    RECIPIENT_GONE,
    SIGN_IN_BLOCKED,
    HeldBack,
    about_customer,
    to_sign_in,
)
from notifications.rules.letters import Letter, Sender
from notifications.rules.links import Links
from notifications.rules.mailing import WriteMail
from notifications.tables.customers import Customer
from notifications.tables.mails import Mail
from notifications.tables.partners import Partner
from notifications.tables.users import User

WELCOME: Final = "mail.welcome"
COPY: Final = "mail.welcome_copy"
LATE_COPIES: Final = "mail.late_welcome_copies"
TEMPLATE: Final = "welcome"
_ABOVE_COPIES: Final = {None: "copy", SIGN_IN_BLOCKED: "copy_waiting"}


async def look(tx: Transaction, event: Event[CustomerChanged]) -> None:
    """A customer changed: while it is active and a welcome is wanted, look whether it was welcomed (CUS-25)."""
    state = event.record.state
    if state.status == "active" and state.welcome_link_id is not None:
        await due.plan(tx, WELCOME, state.id, slot="customer", at=tx.now)


async def look_at_user(tx: Transaction, event: Event[UserChanged]) -> None:
    """One of the partner's users changed: somebody may be there now for copies that nobody could be given."""
    if event.record.state.kind == "partner" and event.record.state.status == "active":
        await due.plan(tx, LATE_COPIES, tx.partner_id, slot="partner", at=tx.now)


async def look_at_role(tx: Transaction, event: Event[RoleChanged]) -> None:
    """A role that may make its users Partner Administrators changed."""
    if event.record.state.predefined:
        await due.plan(tx, LATE_COPIES, tx.partner_id, slot="partner", at=tx.now)


async def write(tx: Transaction, item: DueItem) -> None:
    """Write what is still missing of a customer's welcome, or let it go when its people may sign in now (NOT-12, CUS-04, CUS-52).

    Raises:
        Retry: its partner or its first administrator is not known here yet, or it is being moved.
    """
    await staying.look(tx, item.subject)
    customer = await tx.session.get(Customer, (tx.partner_id, item.subject))
    if customer is None or customer.status != "active" or customer.welcome_link_id is None:
        return
    partner = await tx.session.get(Partner, (tx.partner_id, tx.partner_id))
    admin = await tx.session.get(User, (tx.partner_id, customer.first_admin_id))
    if partner is None or admin is None:
        raise Retry.soon("the customer's partner or first administrator is not known", item)
    mail = WriteMail(
        template=TEMPLATE,
        recipient="customer",
        occasion_id=customer.welcome_link_id,
        user=admin,
        address=customer.first_admin_email,
        customer_id=customer.id,
        held_back_by=to_sign_in(customer),
        awaits_copies=True,
    )
    if await mailing.write(tx, mail) is not None:
        await due.plan(tx, COPY, customer.id, slot=str(customer.welcome_link_id), at=tx.now)
    elif mail.held_back_by != SIGN_IN_BLOCKED:
        await mailing.release(tx, mail, rule=SIGN_IN_BLOCKED)


async def write_copies(tx: Transaction, item: DueItem) -> None:
    """Write a copy to each active Partner Administrator, also when the customer itself is not mailed (CUS-05, CUS-58).

    Where there is none, the welcome goes on awaiting its copies.
    """
    customer = await tx.session.get(Customer, (tx.partner_id, item.subject))
    readers = (await tx.session.scalars(administrators.active(tx))).all()
    if customer is None or not readers:
        return
    for one in readers:
        copy = WriteMail(
            template=TEMPLATE,
            recipient="partner",
            occasion_id=UUID(item.slot),
            user=one,
            address=one.email or "",
            customer_id=customer.id,
        )
        await mailing.write(tx, copy)
    welcome = (Mail.partner_id == tx.partner_id, Mail.template == TEMPLATE, Mail.occasion_id == UUID(item.slot))
    await tx.session.execute(update(Mail).where(*welcome, Mail.awaits_copies).values(awaits_copies=False))


async def write_late_copies(tx: Transaction, _item: DueItem) -> None:
    """Look again at the welcomes of which nobody could be given a copy."""
    if (await tx.session.scalars(administrators.active(tx).limit(1))).first() is None:
        return
    customer = (Customer.partner_id == Mail.partner_id) & (Customer.id == Mail.customer_id)
    awaiting = select(Customer.id, Mail.occasion_id).join(Mail, customer).where(Mail.partner_id == tx.partner_id, Mail.awaits_copies)
    for customer_id, link_id in await tx.session.execute(awaiting):
        await due.plan(tx, COPY, customer_id, slot=str(link_id), at=tx.now)


async def letter(tx: Transaction, mail: Mail, partner: Partner, links: Links) -> Letter:
    """The first administrator's welcome with its link, or the partner's copy without it (CUS-05, NOT-18).

    Raises:
        HeldBack: the customer may not be mailed any more, or the link is none of its any more.
    """
    copied = mail.recipient == "partner"
    customer = await tx.session.get(Customer, (tx.partner_id, mail.customer_id))
    blocked = to_sign_in(customer)
    rule = about_customer(customer, "partner") if copied else blocked
    if customer is None or rule is not None:
        await _look_again(tx, mail, rule)
        raise HeldBack(rule or CUSTOMER_NOT_ACTIVE)
    if not copied and customer.welcome_link_id != mail.occasion_id:
        raise HeldBack(LINK_TAKEN_BACK)
    admin = await tx.session.get(User, (tx.partner_id, customer.first_admin_id))
    if admin is None:
        raise HeldBack(RECIPIENT_GONE)
    return letters.write(
        TEMPLATE,
        mail.language,
        sender=Sender.of(partner),
        link=None if copied else links.set_password(mail.occasion_id, mail.language),
        copy=_ABOVE_COPIES.get(blocked, "copy_only") if copied else None,
        values={"company": customer.company, "name": admin.name, "address": customer.first_admin_email},
    )


async def _look_again(tx: Transaction, mail: Mail, rule: str | None) -> None:
    """Whoever saw this mail pending left it alone; what has changed since is looked at once it is held back."""
    if rule == SIGN_IN_BLOCKED and mail.customer_id is not None:
        await due.plan(tx, WELCOME, mail.customer_id, slot="customer", at=tx.now)
