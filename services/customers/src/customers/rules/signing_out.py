"""Signing out: a new generation of a user's tokens, so that what was signed in before is over in every service within five seconds.

Sessions that are to go on are taken over into the new generation: their access tokens are worth
nothing any more either, but their refresh tokens give new ones.
"""

from typing import Final
from uuid import UUID

from sqlalchemy import func, select

from chassis.database import Transaction
from contracts.customers.sessions import SessionEnd, SessionEnded
from customers.rules.telling import tell_user
from customers.tables.customers import Customer
from customers.tables.users import User

ALL: Final = None


async def sign_out(tx: Transaction, user: User, why: SessionEnd, *, chosen: UUID | None = ALL, kept: UUID | None = None) -> list[UUID]:
    """End a user's sessions: the ``chosen`` one, or all but the one ``kept``; whoever calls it holds the user, and tells of it.

    Answers which have ended.
    """
    user.gen += 1
    user.updated_at = tx.now
    await tx.session.flush()
    over = func.door.end_sessions(user.id, chosen, kept, user.gen, tx.real_now, why)
    ended = list(await tx.session.scalars(select(over)))
    for session_id in ended:
        about = tx.entity("session", session_id, version=1, customer_id=user.customer_id)
        tx.tell(SessionEnded(user_id=user.id, reason=why), about=about)
    return ended


async def sign_out_users(tx: Transaction, customer: Customer) -> None:
    """End all tokens and sessions of the customer's users. Lock the customer first."""
    users = select(User).where(User.partner_id == tx.partner_id, User.customer_id == customer.id).order_by(User.id).with_for_update()
    signed_out = (await tx.session.scalars(users)).all()
    for user in signed_out:
        user.gen += 1
        user.updated_at = tx.now
    await tx.session.flush()
    for user in signed_out:
        tell_user(tx, user)
