"""Linking: the link by which a user sets its password (NOT-12).

Whoever changes a user's links holds the user's row, so of two who ask at once the later one's link is the good one.
"""

from datetime import datetime, timedelta
from typing import Final, cast
from uuid import UUID

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import flag_modified

from chassis.database import Transaction
from contracts.customers.credentials import CredentialLinkRequested, LinkPurpose
from customers.rules.telling import tell_customer, tell_user
from customers.tables.customers import Customer
from customers.tables.links import Link
from customers.tables.users import User

LIFETIMES: Final[dict[LinkPurpose, timedelta]] = {
    "welcome": timedelta(days=30),
    "invitation": timedelta(days=7),
    "password_reset": timedelta(hours=1),
}
KEPT: Final = timedelta(days=30)
"""How long a link that opens nothing any more is still known."""


async def give(tx: Transaction, user: User, purpose: LinkPurpose, link_id: UUID) -> CredentialLinkRequested:
    """Make a link; what is answered is to be told about the user."""
    expires_at = tx.real_now + LIFETIMES[purpose]
    tx.session.add(Link(partner_id=tx.partner_id, id=link_id, user_id=user.id, purpose=purpose, expires_at=expires_at))
    await tx.session.flush()
    return CredentialLinkRequested(link_id=link_id, user_id=user.id, purpose=purpose, expires_at=expires_at)


async def take_back(tx: Transaction, user: User, *purposes: LinkPurpose) -> None:
    """Make the user's links that nobody has used worth nothing, all or those of some purposes; that they were made stays known."""
    unused = update(Link).where(Link.partner_id == tx.partner_id, Link.user_id == user.id, Link.used_at.is_(None))
    await tx.session.execute((unused.where(Link.purpose.in_(purposes)) if purposes else unused).values(used_at=tx.real_now))


async def give_anew(tx: Transaction, user: User, purpose: LinkPurpose) -> CredentialLinkRequested:
    """Make a link that takes the place of all earlier ones."""
    await take_back(tx, user)
    return await give(tx, user, purpose, tx.new_id())


async def invite_anew(tx: Transaction, user: User, customer: Customer | None) -> CredentialLinkRequested:
    """Invite a partner's user again, or welcome a ``customer``'s first admin again: its customer's state names the new link."""
    link = await give_anew(tx, user, "welcome" if customer else "invitation")
    if customer is not None:
        customer.welcome_link_id = link.link_id
        customer.updated_at = tx.now
        await tx.session.flush()
        tell_customer(tx, customer)
    await tell_of(tx, user, link)
    return link


async def tell_of(tx: Transaction, user: User, link: CredentialLinkRequested) -> None:
    """Tell of a link: the user's version rises, though nothing else of it changed."""
    user.updated_at = tx.now
    flag_modified(user, "updated_at")
    await tx.session.flush()
    tell_user(tx, user, link)


async def made_since(tx: Transaction, user: User, since: datetime) -> list[datetime]:
    """When links of the user were made, the newest first."""
    known = select(Link.purpose, Link.expires_at).where(Link.partner_id == tx.partner_id, Link.user_id == user.id)
    rows = await tx.session.execute(known.where(Link.expires_at > since))
    made = [expires_at - LIFETIMES[cast("LinkPurpose", purpose)] for purpose, expires_at in rows]
    return sorted((at for at in made if at > since), reverse=True)


async def forget(session: AsyncSession, now: datetime) -> int:
    """A chore: links that have long opened nothing."""
    old = delete(Link).where(Link.expires_at < now - KEPT)
    gone = await session.execute(old.execution_options(across_partners="what is too old is so whoever's it is"))
    return gone.rowcount if isinstance(gone, CursorResult) else 0
