"""Sessions: what a user signed in to, and why it is over."""

from typing import ClassVar, Literal
from uuid import UUID

from contracts.records import Fact

type SessionEnd = Literal[
    "signed_out",
    "ended_by_user",
    "ended_by_administrator",
    "password_changed",
    "second_factor_changed",
    "address_changed",
    "disabled",
    "reuse",
]


class SessionEnded(Fact):
    """A session is over; its subject is the session. Nobody gets new tokens by it, whoever holds its refresh token."""

    topic: ClassVar[str] = "session.ended"
    aggregate: ClassVar[str] = "session"
    user_id: UUID
    reason: SessionEnd
