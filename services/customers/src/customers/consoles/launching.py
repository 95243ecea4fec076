"""Launching a customer's console: a code for the browser, a session for the console that exchanges it (GW-04).

A code is exchanged once; when it comes again somebody else has it, and the session that it opened ends.
The code's row decides between two who come at once.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from chassis import due
from chassis.database import Transaction
from chassis.due import DueItem
from chassis.http.etags import Seen
from chassis.http.views import View
from contracts.customers.console_sessions import ConsoleSessionStarted
from customers.errors.consoles import ConsoleCodeInvalid, ConsoleSessionNotFound, OfferUnknown
from customers.rules import actions, capabilities, consenting, console_keys, console_sessions, policies
from customers.rules.console_keys import Console, Opened
from customers.rules.console_policy import ConsolePolicy
from customers.rules.holding import hold
from customers.rules.telling import tell_console_session
from customers.tables.console_sessions import ConsoleSession
from customers.tables.customers import Customer
from customers.tables.users import User


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchConsole:
    """``offer`` is the code of the product whose console is meant, where the customer has several."""

    customer_id: UUID
    offer: str | None = None


class LaunchView(View, frozen=True, kw_only=True):
    """What opens the console: ``url`` in a new tab, until ``expires_at``, once."""

    session_id: UUID
    url: str
    code: str
    expires_at: datetime


class OpenedView(View, frozen=True, kw_only=True):
    """A session as its console is told of it. ``session_token`` is said here and never again; ask about it every few seconds."""

    session_id: UUID
    session_token: str
    rights: str
    partner_id: UUID
    customer_id: UUID
    user_id: UUID
    user_name: str
    offer: str | None
    expires_at: datetime


async def launch(tx: Transaction, console: Console, command: LaunchConsole) -> LaunchView:
    """Let the caller into a customer's console, if it may (CUS-54).

    Raises:
        CustomerNotFound: there is none.
        NotOffered: its management type does not let partners in.
        ConsentRequired: the customer has not consented, or not any more.
        OfferUnknown: the customer has no such product.
    """
    customer = await hold(tx, command.customer_id, Seen(None))
    await capabilities.require(tx, actions.LAUNCH_CONSOLE, customer)
    consent_id = await consenting.require(tx, customer, "console_launch")
    if not await console_sessions.reaches(tx, customer, command.offer):
        raise OfferUnknown(errors=[OfferUnknown.at("/offer")])
    rules = await policies.in_force(tx, ConsolePolicy)
    session = await _session(tx, customer, command.offer, consent_id, expires_at=tx.now + rules.policy.code_lasts)
    tx.session.add(session)
    await tx.session.flush()
    code = await console_keys.make(tx, session.id, "code")
    return LaunchView(session_id=session.id, url=console.launched(code), code=code, expires_at=session.expires_at)


async def exchange(tx: Transaction, opened: Opened, code: str) -> OpenedView | None:
    """Open the session of a code; None where the code was used before, which ends the session.

    Raises:
        ConsoleCodeInvalid: it came too late, or what allowed it is no longer so.
    """
    customer = await hold(tx, opened.customer_id, Seen(None))
    session = await console_sessions.hold(tx, opened.session_id)
    if not await console_keys.use(tx, code):
        await console_sessions.end(tx, session, "reuse")
        return None
    if not console_sessions.runs(tx, session) or not await console_sessions.permitted(tx, customer, session.offer):
        raise ConsoleCodeInvalid
    rules = await policies.in_force(tx, ConsolePolicy)
    session.opened_at, session.expires_at = tx.now, tx.now + rules.policy.session_lasts
    await tx.session.flush()
    await due.plan(tx, console_sessions.EXPIRE, session.id, slot="end", at=session.expires_at)
    told = ConsoleSessionStarted(
        customer_id=session.customer_id,
        user_id=session.user_id,
        offer=session.offer,
        consent_id=session.consent_id,
        expires_at=session.expires_at,
    )
    tell_console_session(tx, session, told)
    token = await console_keys.make(tx, session.id, "token")
    return OpenedView.of_entity(session, session_id=session.id, session_token=token, rights="administrator")


async def expire(tx: Transaction, item: DueItem) -> None:
    """End a session whose time is over. One whose customer has changed hands ended then."""
    try:
        session = await console_sessions.hold(tx, item.subject)
    except ConsoleSessionNotFound:
        return
    await console_sessions.end(tx, session, "time")


async def _session(
    tx: Transaction, customer: Customer, offer: str | None, consent_id: UUID | None, *, expires_at: datetime
) -> ConsoleSession:
    who = tx.principal
    if who is None:
        raise ValueError("nobody launches a console by itself")
    named = select(User.name).where(User.partner_id == tx.partner_id, User.id == who.user_id)
    return ConsoleSession(
        partner_id=tx.partner_id,
        id=tx.new_id(),
        customer_id=customer.id,
        data_region=customer.data_region,
        user_partner_id=who.partner_id,
        user_id=who.user_id,
        user_name=(await tx.session.scalars(named)).one_or_none() or "A user of a partner above",
        offer=offer,
        consent_id=consent_id,
        launched_at=tx.now,
        expires_at=expires_at,
    )
