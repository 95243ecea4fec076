"""What is answered about customers, for the OpenAPI document. The bytes themselves come from the features."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, JsonValue

from contracts.customers.customers import CommunicationsMode, Company, Contact, CustomerStatus, FirstAdmin, ManagementType, ProductAsked


class ContactView(Contact):
    """A contact; `observes_daylight_saving` says whether its time zone has daylight saving time this year (CUS-08)."""

    observes_daylight_saving: bool


class CustomerInList(BaseModel):
    """A customer in a list."""

    id: UUID
    partner_id: UUID
    version: int
    status: CustomerStatus
    management_type: ManagementType
    communications_mode: CommunicationsMode
    company: Company
    domain: str
    contact: ContactView
    tags: list[str]
    created_at: datetime


class CustomerView(BaseModel):
    """One customer, whole."""

    id: UUID
    partner_id: UUID
    owner_partner_id: UUID
    version: int
    status: CustomerStatus
    management_type: ManagementType
    communications_mode: CommunicationsMode
    company: Company
    domain: str
    contact: ContactView
    first_admin: FirstAdmin
    products: list[ProductAsked]
    review_reasons: list[str]
    tags: list[str]
    data_region: str
    created_at: datetime
    updated_at: datetime


class ReviewView(BaseModel):
    """A customer in review; ``version`` is the customer's, to be sent back as If-Match."""

    id: UUID
    customer_id: UUID
    partner_id: UUID
    version: int
    company: Company
    contact: Contact
    findings: list[dict[str, JsonValue]]
    opened_at: datetime
