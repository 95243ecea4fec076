"""Users: every principal that may sign in or call, with its roles."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.records import Fact, Part, Personal, State

type UserKind = Literal["operator", "partner", "customer", "service"]
type UserStatus = Literal["invited", "active", "disabled"]


class UserContact(Part):
    """A way to reach a user (CUS-78): an e-mail address or, for SMS, a number. One of a user's is the primary one."""

    id: UUID
    type: Literal["email", "sms"]
    value: Personal[str]
    primary: bool


class EmailChange(Part):
    """A login address on its way: asked for, ``new`` is written to; ``confirmed``, ``old`` may take it back until ``until``.

    ``id`` is that of the link to the new address, ``undo_id`` that of the link to the old one.
    """

    id: UUID
    undo_id: UUID
    old: Personal[str]
    new: Personal[str]
    confirmed: bool
    until: datetime


class UserState(Part):
    """A user as it is now. A token whose ``gen`` differs from the user's is worth nothing.

    ``contacts`` are how it wants to be reached; with none it is by its login address. ``scopes`` are the permissions
    that an API key may use of those that its roles give; None for people, whose roles alone decide.
    """

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
    contacts: list[UserContact] = Field(default_factory=list)
    second_factor: bool = False
    email_change: EmailChange | None = None
    scopes: list[str] | None = None


class UserFact(Fact):
    aggregate: ClassVar[str] = "user"


class UserCreated(UserFact):
    topic: ClassVar[str] = "user.created"
    kind: UserKind
    role_ids: list[UUID]


class UserUpdated(UserFact):
    topic: ClassVar[str] = "user.updated"
    fields: list[str]


class UserDisabled(UserFact):
    """The user signs in no more; ``removed`` when for good."""

    topic: ClassVar[str] = "user.disabled"
    removed: bool


class UserChanged(State[UserState]):
    topic: ClassVar[str] = "user.changed"
    aggregate: ClassVar[str] = "user"
