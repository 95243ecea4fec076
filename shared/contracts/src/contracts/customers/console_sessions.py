"""Console sessions: a partner's user at work in a customer's product console (CUS-54, CUS-55)."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from contracts.records import Fact

type SessionEnder = Literal["partner", "customer", "operator", "console", "rights", "reuse", "time"]
"""Who or what ended a session: ``rights`` when what allowed it was taken away, ``reuse`` when its code came twice."""


class ConsoleSessionFact(Fact):
    aggregate: ClassVar[str] = "console_session"
    customer_id: UUID
    user_id: UUID
    offer: str | None


class ConsoleSessionStarted(ConsoleSessionFact):
    """The console has exchanged the code: the user is signed in there, with full administrative rights, until ``expires_at`` at most."""

    topic: ClassVar[str] = "console_session.started"
    consent_id: UUID | None
    expires_at: datetime


class ConsoleSessionEnded(ConsoleSessionFact):
    topic: ClassVar[str] = "console_session.ended"
    started_at: datetime
    ended_by: SessionEnder
