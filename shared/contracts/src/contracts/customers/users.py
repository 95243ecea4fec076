"""Users: every principal that may sign in or call, with its roles."""

from typing import ClassVar, Literal
from uuid import UUID

from contracts.records import Fact, Part, Personal, State

type UserKind = Literal["operator", "partner", "customer", "service"]
type UserStatus = Literal["invited", "active", "disabled"]


class UserState(Part):
    """A user as it is now. A token whose ``gen`` differs from the user's is worth nothing."""

    id: UUID
    partner_id: UUID
    customer_id: UUID | None
    kind: UserKind
    status: UserStatus
    gen: int
    name: Personal[str]
    email: Personal[str | None]
    language: str
    role_ids: list[UUID]


class UserFact(Fact):
    aggregate: ClassVar[str] = "user"


class UserCreated(UserFact):
    topic: ClassVar[str] = "user.created"
    kind: UserKind
    role_ids: list[UUID]


class UserUpdated(UserFact):
    topic: ClassVar[str] = "user.updated"
    fields: list[str]


class UserChanged(State[UserState]):
    topic: ClassVar[str] = "user.changed"
    aggregate: ClassVar[str] = "user"
