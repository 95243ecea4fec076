"""Signing out: a new generation of a user's tokens, so that what was signed in before is over in every service within five seconds.

Sessions that are to go on are taken over into the new generation: their access tokens are worth
nothing any more either, but their refresh tokens give new ones.
"""

from typing import Final
from uuid import UUID

from sqlalchemy import func, select

from chassis.database import Transaction
from contracts.customers.sessions import SessionEnd, SessionEnded
from contracts.customers.users import UserUpdated
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
        about = tx.entity("session", session_id, version=1, customer_id=user.customer_id, data_region=user.data_region)
        tx.tell(SessionEnded(user_id=user.id, reason=why), about=about)
    return ended


async def sign_out_here(tx: Transaction, user: User, session_id: UUID, why: SessionEnd) -> bool:
    """End one session of the user who asks, and tell of it; False where it had ended, and nothing is changed."""
    if not await tx.session.scalar(select(func.door.session_goes_on(session_id))):
        return False
    await sign_out(tx, user, why, chosen=session_id)
    tell_user(tx, user, UserUpdated(fields=["sessions"]))
    return True


async def sign_out_users(tx: Transaction, customer: Customer) -> None:
    """End all tokens and sessions of the customer's users, who may sign in no more. Lock the customer first."""
    users = select(User).where(User.partner_id == tx.partner_id, User.customer_id == customer.id).order_by(User.id).with_for_update()
    for user in (await tx.session.scalars(users)).all():
        await sign_out(tx, user, "disabled")
        tell_user(tx, user)
