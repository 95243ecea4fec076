"""What customers says of a customer in its bundle.

What signs in, proves or reveals (passwords, links, second factors, values in the
audit) has no field here, and so is in no bundle.
"""

from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import BeforeValidator, JsonValue

from chassis.bundles.archive import Reader
from chassis.bundles.nouns import Noun
from contracts.customers.consents import ConsentKind, ConsentState
from contracts.customers.customers import (
    AccountType,
    CommunicationsMode,
    Company,
    Contact,
    FirstAdmin,
    ManagementType,
    PlannedStage,
    ProductAsked,
)
from contracts.records import Part
from customers.tables.consents import Consent, ConsentEntry
from customers.tables.console_sessions import ConsoleSession
from customers.tables.customers import Customer, EulaAcceptance, Review
from customers.tables.offboarding import Deletion, Stage
from customers.tables.rights_history import RightsMoment
from customers.tables.users import User

type Hex = Annotated[str, BeforeValidator(lambda value: value.hex() if isinstance(value, bytes) else value)]
type Document = dict[str, JsonValue]


class CustomerRow(Part):
    """Its state. The link of its welcome mail opens the installation that mailed it, and is left there."""

    id: UUID
    version: int
    owner_partner_id: UUID
    status: Literal["pending_review", "active", "disabled", "rejected"]
    management_type: ManagementType
    communications_mode: CommunicationsMode
    company: Company
    domain: str
    contact: Contact
    first_admin: FirstAdmin
    products: list[ProductAsked]
    review_reasons: list[str]
    tags: list[str]
    data_region: str
    identity_policy_version: str
    created_at: datetime
    updated_at: datetime
    account_type: AccountType
    unmanaged_macs_allowed: bool
    management_wanted: ManagementType | None
    imported_at: datetime | None
    shut_out_at: datetime | None
    stages: list[PlannedStage]
    rejected_for: str | None = None


class UserRow(Part):
    """A user without what lets it sign in: elsewhere it sets a password, and a second factor, anew."""

    id: UUID
    version: int
    status: Literal["invited", "active", "disabled"]
    disabled_from: str | None
    gen: int
    name: str
    email: str | None
    language: str
    contacts: list[JsonValue]
    created_at: datetime
    updated_at: datetime


class EulaRow(Part):
    id: UUID
    eula_version: str
    accepted_by: UUID
    accepted_at: datetime


class ReviewRow(Part):
    id: UUID
    status: Literal["open", "cleared", "rejected"]
    findings: list[Document]
    opened_at: datetime
    decided_at: datetime | None
    decided_by: UUID | None
    reason: str | None
    held_from: str | None


class ConsentRow(Part):
    id: UUID
    version: int
    kind: ConsentKind
    state: ConsentState
    scope: Document
    asked_by_partner_id: UUID
    asked_by: UUID | None
    asked_at: datetime
    expires_at: datetime | None
    settled_at: datetime | None


class EntryRow(Part):
    """An entry of the ledger; ``hash`` binds it to the one before."""

    id: UUID
    number: int
    consent_id: UUID
    kind: ConsentKind
    state: ConsentState
    scope: Document
    asked_by_partner_id: UUID
    asked_by: UUID | None
    asked_at: datetime
    expires_at: datetime | None
    at: datetime
    evidence: Document
    hash: Hex


class SessionRow(Part):
    id: UUID
    version: int
    user_partner_id: UUID
    user_id: UUID
    user_name: str
    offer: str | None
    consent_id: UUID | None
    launched_at: datetime
    opened_at: datetime | None
    expires_at: datetime
    ended_at: datetime | None
    ended_by: str | None


class StageRow(Part):
    id: UUID
    version: int
    verb: Literal["disable", "delete"]
    status: Literal["planned", "held", "done", "stopped", "refused"]
    at: datetime
    notices: list[str]
    checklist: list[Document]
    planned_by: UUID
    refused_with: str | None
    updated_at: datetime


class DeletionRow(Part):
    """A deletion that did not come to its end."""

    version: int
    status: Literal["blocked", "withdrawn", "restored"]
    was: str
    asked_by: UUID | None
    asked_at: datetime
    asked_version: int
    policy_version: int
    job_id: UUID | None
    stage_id: UUID | None = None
    in_the_way: list[Document]
    deleted_at: datetime | None
    recoverable_until: datetime | None
    purged_at: None
    purged_version: None
    user_ids: list[UUID]


class RightsRow(Part):
    version: int
    at: datetime
    state: Document | None


class AuditRow(Part):
    """Who did what. Evidence: it is the audit of where it was written, and no other."""

    id: UUID
    at: datetime
    user_id: UUID
    user_kind: str
    user_partner_id: UUID
    acting_as: UUID | None
    operation: str
    outcome: str
    code: str | None
    subject_type: str | None
    subject_id: UUID | None
    facts: list[str]
    fields: list[str]
    request_id: str | None


CUSTOMER: Final = Noun(
    file="customer.jsonl",
    row=CustomerRow,
    table=Customer,
    customer="id",
    derived=lambda row: {"products_settled": row.status != "pending_review"},
)
USERS: Final = Noun(
    file="users.jsonl",
    row=UserRow,
    table=User,
    constant={"kind": "customer", "role_ids": [], "second_factor": False, "scopes": None, "email_change": None},
)
CONSENTS: Final = Noun(file="consents.jsonl", row=ConsentRow, table=Consent)
ENTRIES: Final = Noun(file="consent_entries.jsonl", row=EntryRow, table=ConsentEntry, order=("number",))
SESSIONS: Final = Noun(file="console_sessions.jsonl", row=SessionRow, table=ConsoleSession)
STAGES: Final = Noun(file="stages.jsonl", row=StageRow, table=Stage)
AUDIT: Final = Noun(file="audit.jsonl", row=AuditRow, table=None)
KEPT: Final = (
    *(CUSTOMER, USERS),
    Noun(file="eula_acceptances.jsonl", row=EulaRow, table=EulaAcceptance),
    Noun(file="reviews.jsonl", row=ReviewRow, table=Review),
    *(CONSENTS, ENTRIES, SESSIONS, STAGES),
    Noun(file="deletion.jsonl", row=DeletionRow, table=Deletion, customer="id"),
    Noun(
        file="rights_history.jsonl",
        row=RightsRow,
        table=RightsMoment,
        customer="subject",
        order=("version",),
        constant={"kind": "customer"},
    ),
)
"""In the order in which they are imported."""
NOUNS: Final = (*KEPT, AUDIT)

READER: Final = Reader(service="customers", nouns=NOUNS, required=KEPT)
