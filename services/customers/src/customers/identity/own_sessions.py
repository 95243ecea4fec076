"""Sessions of a user, listed and ended: by itself, or by who manages users at its partner."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.database import Read, Transaction
from chassis.http.lists import Listing
from chassis.http.views import View
from contracts.customers.sessions import SessionEnd
from contracts.customers.users import UserUpdated
from customers.errors.identity import SessionNotFound
from customers.rules.holding import hold_user
from customers.rules.signing_out import sign_out
from customers.rules.telling import tell_user

KEPT: Final = timedelta(days=7)
_OF: Final = "select id, started_at, used_at, ends_at, agent, address from door.sessions_of($1, $2)"
_FORGET: Final = text("select door.forget_sessions(:before)")


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSessions:
    """``session_id`` is the one to end; None ends all of them."""

    user_id: UUID
    session_id: UUID | None = None
    why: SessionEnd = "ended_by_user"


class SessionView(View, frozen=True, kw_only=True):
    """A session that goes on; unless it is used until ``ends_at``, it ends then.

    ``agent`` is what the device called itself, ``address`` from where it signed in; ``current`` is the one that asks.
    """

    id: UUID
    started_at: datetime
    used_at: datetime
    ends_at: datetime
    agent: str | None
    address: str | None
    current: bool


async def of(read: Read, user_id: UUID) -> Listing[SessionView]:
    """The sessions of a user that go on, the last used first."""
    rows = await read.connection.fetch(_OF, user_id, read.real_now)
    mine = read.principal.session_id
    return Listing.whole([SessionView.of(row, current=row["id"] == mine) for row in rows], as_of=read.real_now)


async def end(tx: Transaction, command: EndSessions) -> None:
    """End sessions; where all are ended, none needs to be there.

    Raises:
        UserNotFound: there is no such user.
        SessionNotFound: the session is none of the user's, or has ended.
    """
    user = await hold_user(tx, command.user_id)
    ended = await sign_out(tx, user, command.why, chosen=command.session_id)
    if command.session_id is not None and not ended:
        raise SessionNotFound
    tell_user(tx, user, UserUpdated(fields=["sessions"]))


async def forget(session: AsyncSession, now: datetime) -> int:
    """A chore: sessions that ended a while ago."""
    return int((await session.execute(_FORGET, {"before": now - KEPT})).scalar_one())
