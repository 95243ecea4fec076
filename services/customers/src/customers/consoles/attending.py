"""Console sessions under way: what the console asks of them, who sees them, who ends them (CUS-55)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import FromClause, Select, bindparam, select

from chassis.database import Read, Transaction
from chassis.http.lists import Given, Listing, Paged, Sorts, Wanted
from chassis.http.views import View
from contracts.customers.console_sessions import SessionEnder
from customers.errors.consoles import ConsoleSessionNotFound
from customers.rules import console_sessions
from customers.rules.console_keys import Opened
from customers.tables.console_sessions import ConsoleSession
from customers.tables.customers import Customer

_ENDERS: Final[dict[str, SessionEnder]] = {"partner": "partner", "customer": "customer", "operator": "operator"}


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSession:
    customer_id: UUID
    session_id: UUID


class StandingView(View, frozen=True, kw_only=True):
    """Whether a console goes on (RFC 7662, 2.2). Of what is not active nothing else is said."""

    active: bool
    expires_at: datetime | None = None


class ConsoleSessionView(View, frozen=True, kw_only=True):
    """Who is, or was, at work in a customer's console. It is live while it was opened, has not ended, and `expires_at` is to come."""

    id: UUID
    customer_id: UUID
    version: int
    user_id: UUID
    user_name: str
    offer: str | None
    consent_id: UUID | None
    opened_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    ended_by: str | None


def _of_customer(relation: FromClause, given: Given) -> Select[Any]:
    opened = select(*ConsoleSessionView.columns(relation)).where(
        relation.c.customer_id == bindparam("customer_id"), relation.c.opened_at.is_not(None)
    )
    if "live" in given:
        return opened.where(relation.c.ended_at.is_(None), relation.c.expires_at > bindparam("live"))
    return opened


_SORTS: Final = Sorts({"launched_at": ("launched_at", datetime)}, default="-launched_at", last=("id", UUID))
_SESSIONS: Final = Paged(ConsoleSession, ConsoleSessionView, _SORTS, build=_of_customer, customer="customer_id")


async def page(read: Read, wanted: Wanted, customer_id: UUID, *, live: bool) -> Listing[ConsoleSessionView]:
    """The sessions at a customer, the latest first; ``live`` ones alone are those under way."""
    return await _SESSIONS.page(read, wanted, customer_id=customer_id, live=read.now if live else None)


async def look(tx: Transaction, opened: Opened) -> StandingView:
    """Whether a session goes on; one whose right was taken away ends here."""
    customer = await tx.session.get(Customer, (tx.partner_id, opened.customer_id))
    session = await tx.session.get(ConsoleSession, (tx.partner_id, opened.session_id))
    if customer is None or session is None or not console_sessions.runs(tx, session):
        return StandingView(active=False)
    if await console_sessions.permitted(tx, customer, session.offer):
        return StandingView(active=True, expires_at=session.expires_at)
    await console_sessions.end(tx, await console_sessions.hold(tx, session.id), "rights")
    return StandingView(active=False)


async def leave(tx: Transaction, opened: Opened) -> None:
    """End a session from its console: the user has signed out there (CUS-55)."""
    await console_sessions.end(tx, await console_sessions.hold(tx, opened.session_id), "console")


async def end(tx: Transaction, command: EndSession) -> ConsoleSessionView:
    """End a session from here: the partner, the customer whose console it is, or the operator.

    Raises:
        ConsoleSessionNotFound: there is none at this customer that was ever opened.
    """
    session = await console_sessions.hold(tx, command.session_id, customer_id=command.customer_id)
    if session.opened_at is None:
        raise ConsoleSessionNotFound
    await console_sessions.end(tx, session, _ENDERS[tx.principal.kind if tx.principal else "operator"])
    return ConsoleSessionView.of_entity(session)
