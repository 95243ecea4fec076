"""Console sessions: when one goes on, and how it ends.

A session goes on while everything that let it begin still holds: the user's sign-in, its role and its
Read/Write on the customer, the customer's state, management type and consent, and that it has the product. A console asks every few
seconds, so what is taken away ends the session within five; what is taken away of a customer as a whole ends all its
sessions at once, whether their consoles ask or not.
"""

from typing import Final
from uuid import UUID

from sqlalchemy import select

from chassis.access.rights import require_level, rights_of
from chassis.database import Transaction
from chassis.errors import Refusal
from contracts.customers.console_sessions import ConsoleSessionEnded, SessionEnder
from customers.errors.consoles import ConsoleSessionNotFound
from customers.rules import actions, capabilities, consenting, products
from customers.rules.telling import tell_console_session
from customers.tables.console_sessions import ConsoleSession
from customers.tables.customers import Customer

EXPIRE: Final = "console_session.expire"


async def hold(tx: Transaction, session_id: UUID, *, customer_id: UUID | None = None) -> ConsoleSession:
    """A session of this partner, for a change.

    Raises:
        ConsoleSessionNotFound: there is none, or it is another customer's.
    """
    mine = select(ConsoleSession).where(ConsoleSession.partner_id == tx.partner_id, ConsoleSession.id == session_id)
    if customer_id is not None:
        mine = mine.where(ConsoleSession.customer_id == customer_id)
    session = (await tx.session.scalars(mine.with_for_update().execution_options(populate_existing=True))).one_or_none()
    if session is None:
        raise ConsoleSessionNotFound
    return session


def runs(tx: Transaction, session: ConsoleSession) -> bool:
    """Whether nobody has ended it and its time is not over."""
    return session.ended_at is None and session.expires_at > tx.now


async def reaches(tx: Transaction, customer: Customer, offer: str | None) -> bool:
    """Whether the console is of something that the customer has now; where none is named, it is that of all (CUS-56)."""
    return offer is None or await products.has(tx, customer.id, offer)


async def permitted(tx: Transaction, customer: Customer, offer: str | None) -> bool:
    """Whether whoever asks for this transaction may be at work in the customer's console, of a product if one is named, now."""
    if tx.principal is None:
        return False
    try:
        fetchrow = (await tx.driver()).fetchrow
        rights = await rights_of(fetchrow, tx.principal)
        await require_level(fetchrow, rights, customer.id, write=True)
        await capabilities.require(tx, actions.LAUNCH_CONSOLE, customer)
        await consenting.require(tx, customer, "console_launch")
    except Refusal:
        return False
    return await reaches(tx, customer, offer)


async def end(tx: Transaction, session: ConsoleSession, by: SessionEnder) -> None:
    """End a session; one that has ended stays as it is. What was never opened is told to nobody."""
    if session.ended_at is not None:
        return
    session.ended_at, session.ended_by = tx.now, by
    await tx.session.flush()
    if session.opened_at is not None:
        told = ConsoleSessionEnded(
            customer_id=session.customer_id,
            user_id=session.user_id,
            offer=session.offer,
            started_at=session.opened_at,
            ended_by=by,
        )
        tell_console_session(tx, session, told)


async def end_all(tx: Transaction, customer: Customer, by: SessionEnder) -> None:
    """End all sessions at a customer that is held: it rests, it goes, or it lets nobody in any more."""
    theirs = select(ConsoleSession).where(
        ConsoleSession.partner_id == tx.partner_id, ConsoleSession.customer_id == customer.id, ConsoleSession.ended_at.is_(None)
    )
    for session in (await tx.session.scalars(theirs.order_by(ConsoleSession.id).with_for_update())).all():
        await end(tx, session, by)
