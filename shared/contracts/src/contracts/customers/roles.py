"""Roles: what their users may do, and with which customers."""

from typing import ClassVar, Literal
from uuid import UUID

from contracts.records import Fact, Part, State

type Level = Literal["none", "read", "read_write"]


class RoleState(Part):
    """A role as it is now.

    Inside a role an explicit customer decides first, then the highest of its tags, then
    ``all_customers``, then ``default_level`` (CUS-85 to CUS-91).
    """

    id: UUID
    partner_id: UUID
    name: str
    predefined: bool
    permissions: list[str]
    all_customers: Level | None
    default_level: Level
    customers: dict[UUID, Level]
    tags: dict[str, Level]


class RoleFact(Fact):
    aggregate: ClassVar[str] = "role"


class RoleCreated(RoleFact):
    topic: ClassVar[str] = "role.created"
    name: str
    permissions: list[str]
    all_customers: Level | None
    default_level: Level


class RoleUpdated(RoleFact):
    """``fields`` are those that changed; which customers and tags it names is told by its state."""

    topic: ClassVar[str] = "role.updated"
    fields: list[str]
    name: str
    permissions: list[str]
    all_customers: Level | None
    default_level: Level


class RoleDeleted(RoleFact):
    topic: ClassVar[str] = "role.deleted"
    name: str


class RoleChanged(State[RoleState]):
    topic: ClassVar[str] = "role.changed"
    aggregate: ClassVar[str] = "role"
