"""Partners: who sells, and under whom."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.records import Fact, Part, Personal, State

type PartnerStatus = Literal["active", "disabled"]
type SecondFactorRule = Literal["optional", "required"]


class SupportInfo(Part):
    """Where the partner's customers buy and get help (CUS-74); stands in every mail to them (CUS-75)."""

    purchase_url: str | None = None
    support_url: str | None = None
    support_email: Personal[str | None] = None
    support_phone: Personal[str | None] = None


class PartnerAddress(Part):
    """Where a partner is and how it is reached (CUS-69, CUS-71)."""

    address_1: str
    address_2: str | None = None
    address_3: str | None = None
    city: str
    postal_code: str | None = None
    region: str | None = None
    phone: Personal[str | None] = None
    website: str | None = None


class PartnerState(Part):
    """A partner as it is now. ``ancestors`` runs from the root down to the parent; the root has none.

    ``ahead_seconds`` says how far a sandbox's clock is ahead of real time, at least. ``second_factor`` is asked
    of its own users, ``second_factor_below`` of the users of every partner below it (MKT-04). ``shut_out`` closes it
    to the partners above, since ``shut_out_at`` (MKT-05). ``disabled_by`` is the partner that put it to rest, while it rests.
    ``address`` is null where nobody has said it.
    Users on ``sign_in_domains`` sign in where the partner's company signs them in (MKT-18).
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
    disabled_by: UUID | None = None
    shut_out_at: datetime | None = None
    address: PartnerAddress | None = None
    sign_in_domains: list[str] = Field(default_factory=list)


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


class PartnerDisabled(PartnerFact):
    """Its users and its API keys are let in nowhere; its customers stay as they are (CUS-70). ``disabled_by`` is a partner above it."""

    topic: ClassVar[str] = "partner.disabled"
    disabled_by: UUID


class PartnerEnabled(PartnerFact):
    topic: ClassVar[str] = "partner.enabled"
    enabled_by: UUID


class PartnerChanged(State[PartnerState]):
    topic: ClassVar[str] = "partner.changed"
    aggregate: ClassVar[str] = "partner"
