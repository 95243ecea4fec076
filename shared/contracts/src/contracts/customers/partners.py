"""Partners: who sells, and under whom."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from contracts.records import Fact, Part, Personal, State

type PartnerStatus = Literal["active", "disabled"]
type SecondFactorRule = Literal["optional", "required"]


class SupportInfo(Part):
    """Where the partner's customers buy and get help (CUS-74); stands in every mail to them (CUS-75)."""

    purchase_url: str | None = None
    support_url: str | None = None
    support_email: Personal[str | None] = None
    support_phone: Personal[str | None] = None


class PartnerState(Part):
    """A partner as it is now. ``ancestors`` runs from the root down to the parent; the root has none.

    ``ahead_seconds`` says how far a sandbox's clock is ahead of real time, at least. ``second_factor`` is asked
    of its own users, ``second_factor_below`` of the users of every partner below it (MKT-04).
    """

    id: UUID
    name: str
    country: str
    status: PartnerStatus
    parent_id: UUID | None
    ancestors: list[UUID]
    shut_out: bool
    sandbox: bool
    language: str
    time_zone: str
    support: SupportInfo
    registered_at: datetime
    ahead_seconds: float | None = None
    second_factor: SecondFactorRule = "optional"
    second_factor_below: SecondFactorRule = "optional"


class PartnerFact(Fact):
    aggregate: ClassVar[str] = "partner"


class PartnerRegistered(PartnerFact):
    topic: ClassVar[str] = "partner.registered"
    parent_id: UUID | None
    country: str


class PartnerUpdated(PartnerFact):
    """Something that the partner says of itself, or asks of its users, changed; its state says to what."""

    topic: ClassVar[str] = "partner.updated"
    fields: list[str]


class PartnerChanged(State[PartnerState]):
    topic: ClassVar[str] = "partner.changed"
    aggregate: ClassVar[str] = "partner"
