"""What the tests' own service tells: a house was ordered, was built, is as it is."""

from typing import ClassVar
from uuid import UUID

from contracts.records import Fact, Part, State


class HouseState(Part):
    id: UUID
    partner_id: UUID
    name: str


class HouseBuilt(Fact):
    topic: ClassVar[str] = "house.built"
    aggregate: ClassVar[str] = "house"
    name: str


class HouseChanged(State[HouseState]):
    topic: ClassVar[str] = "house.changed"
    aggregate: ClassVar[str] = "house"


class HouseOrdered(Fact):
    topic: ClassVar[str] = "house.ordered"
    aggregate: ClassVar[str] = "house"
    name: str


class ClerkHired(Fact):
    topic: ClassVar[str] = "clerk.hired"
    aggregate: ClassVar[str] = "user"
