"""Customers: the end companies that partners run."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from contracts.records import Fact, JsonObject, Part, Personal, State

type CustomerStatus = Literal["draft", "pending_review", "active", "disabled", "deleting", "deleted", "purged", "rejected"]
type ManagementType = Literal["partner_managed", "customer_managed", "co_managed"]
type CommunicationsMode = Literal["partner_only", "both"]
type AccountType = Literal["licensing_portal", "licensing_platform"]


class ProductNamed(Part):
    """One product or trial asked for at creation. ``item`` numbers it within the customer, from 1."""

    item: int
    offer: str
    kind: Literal["trial", "paid"]
    quantity: int | None


class ProductAsked(ProductNamed):
    """A product asked for, with what was filled into the offer's form, which may be about persons."""

    answers: Personal[JsonObject]


class Company(Part):
    """The end company (CUS-07)."""

    name: str
    address_1: str
    address_2: str | None
    address_3: str | None
    city: str
    postal_code: str | None
    region: str | None
    country: str
    phone: Personal[str | None]
    website: str | None


class Contact(Part):
    """The authorised person at the end company (CUS-08, CUS-09)."""

    name: Personal[str]
    email: Personal[str]
    phone: Personal[str | None]
    language: str
    time_zone: str


class FirstAdmin(Part):
    """Who signs in first (CUS-22); its user is created together with the customer."""

    user_id: UUID
    first_name: Personal[str]
    last_name: Personal[str]
    email: Personal[str]
    temporary: bool


class PlannedStage(Part):
    """What is to be done with a customer ``at`` a time, announced so long before (ISO 8601); ``tasks`` are to be done by then (MKT-19)."""

    id: UUID
    verb: Literal["disable", "delete"]
    at: datetime
    notices: list[str]
    tasks: Personal[list[str]]


class CustomerState(Part):
    """A customer as it is now.

    ``partner_id`` manages it; ``owner_partner_id`` owns it. ``welcome_link_id`` is the link the
    welcome mail carries, null when no welcome mail is wanted. ``account_type`` says which actions
    are offered for it (CUS-64). ``management_wanted`` is what the customer was asked for and has not
    answered yet; ``imported_at`` is when it came to this partner from another (CUS-46). ``stages`` are
    those of its off-boarding that are still to come. ``products_settled`` where its products were given or rejected in
    the installation that it comes from: none of them is given here.
    ``moving_to`` is the partner to which it is being moved: until then nobody but its owner tells
    anything of it (MKT-02). ``shut_out_at`` is since when it is closed to its partner and those above (MKT-05).
    """

    id: UUID
    partner_id: UUID
    owner_partner_id: UUID
    status: CustomerStatus
    management_type: ManagementType
    communications_mode: CommunicationsMode
    welcome_link_id: UUID | None
    company: Company
    domain: str
    contact: Contact
    first_admin: FirstAdmin
    products: list[ProductAsked]
    review_reasons: list[str]
    tags: list[str]
    data_region: str
    created_at: datetime
    updated_at: datetime
    account_type: AccountType = "licensing_portal"
    unmanaged_macs_allowed: bool = False
    management_wanted: ManagementType | None = None
    imported_at: datetime | None = None
    stages: list[PlannedStage] = Field(default_factory=list)
    products_settled: bool = False
    moving_to: UUID | None = None
    shut_out_at: datetime | None = None


class CustomerFact(Fact):
    aggregate: ClassVar[str] = "customer"


class CustomerCreated(CustomerFact):
    """Billing keeps it for ever, so it names no person and carries no answers to forms."""

    topic: ClassVar[str] = "customer.created"
    management_type: ManagementType
    country: str
    status: CustomerStatus
    products: list[ProductNamed]


class CustomerUpdated(CustomerFact):
    """Details were changed. ``fields`` name which, as in ``company.name``, not what they say (CUS-39)."""

    topic: ClassVar[str] = "customer.updated"
    fields: list[str]


class CustomerTagged(CustomerFact):
    """The partner marked its customer otherwise than before (MKT-01)."""

    topic: ClassVar[str] = "customer.tagged"
    added: list[str]
    removed: list[str]


class CustomerReviewOpened(CustomerFact):
    """``asked_by`` is who asked for what is looked at; None where nobody did."""

    topic: ClassVar[str] = "customer.review_opened"
    reasons: list[str]
    asked_by: UUID | None = None


class CustomerReviewCleared(CustomerFact):
    topic: ClassVar[str] = "customer.review_cleared"
    reviewed_by: UUID


class CustomerReviewRejected(CustomerFact):
    topic: ClassVar[str] = "customer.review_rejected"
    reviewed_by: UUID
    reason: Personal[str]


class EulaAccepted(CustomerFact):
    """Who accepted which version of the licence terms, and when (CUS-26)."""

    topic: ClassVar[str] = "eula.accepted"
    eula_version: str
    accepted_by: UUID
    accepted_at: datetime


class CustomerChanged(State[CustomerState]):
    topic: ClassVar[str] = "customer.changed"
    aggregate: ClassVar[str] = "customer"
