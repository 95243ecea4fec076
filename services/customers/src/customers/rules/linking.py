"""Linking: the link by which a user sets its password (NOT-12).

Whoever changes a user's links holds the user's row, so of two who ask at once the later one's link is the good one.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import delete

from chassis.database import Transaction
from contracts.customers.credentials import CredentialLinkRequested, LinkPurpose
from customers.tables.links import Link
from customers.tables.users import User

LIFETIMES: Final[dict[LinkPurpose, timedelta]] = {
    "welcome": timedelta(days=30),
    "invitation": timedelta(days=7),
    "password_reset": timedelta(hours=1),
}


async def give(tx: Transaction, user: User, purpose: LinkPurpose, link_id: UUID) -> CredentialLinkRequested:
    """Make a link; what is answered is to be told about the user."""
    expires_at = tx.real_now + LIFETIMES[purpose]
    tx.session.add(Link(partner_id=tx.partner_id, id=link_id, user_id=user.id, purpose=purpose, expires_at=expires_at))
    await tx.session.flush()
    return CredentialLinkRequested(link_id=link_id, user_id=user.id, purpose=purpose, expires_at=expires_at)


async def take_back(tx: Transaction, user: User) -> None:
    """Make the user's links that nobody has used worth nothing."""
    await tx.session.execute(delete(Link).where(Link.partner_id == tx.partner_id, Link.user_id == user.id, Link.used_at.is_(None)))


async def give_anew(tx: Transaction, user: User, purpose: LinkPurpose) -> CredentialLinkRequested:
    """Make a link that takes the place of all earlier ones."""
    await take_back(tx, user)
    return await give(tx, user, purpose, tx.new_id())
