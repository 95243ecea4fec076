"""What the overview answers, for the OpenAPI document. The bytes themselves come from the features."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from contracts.customers.customers import CommunicationsMode, CustomerStatus, ManagementType
from contracts.licensing.subscriptions import SubscriptionStatus
from reporting.rules.attention import Reason
from reporting.rules.customer_filters import Kind


class View(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Fresh(View):
    """All that was published until ``as_of`` is in the answer; both are null until the service has begun to follow."""

    as_of: datetime | None
    lag_seconds: float | None


class ContactView(View):
    name: str
    email: str
    phone: str | None


class ProductView(View):
    subscription_id: UUID
    product: str
    product_type: str
    kind: Kind
    status: SubscriptionStatus
    used: int
    capacity: int
    trial_ends_at: datetime | None
    term_end: datetime | None


class UseView(View):
    product_type: str
    used: int
    capacity: int


class AttentionView(View):
    reason: Reason
    subscription_id: UUID | None
    product: str | None
    at: datetime | None


class CustomerOverviewItem(View):
    id: UUID
    partner_id: UUID
    version: int
    name: str
    status: CustomerStatus
    management_type: ManagementType
    communications_mode: CommunicationsMode
    contact: ContactView
    domain: str
    city: str
    country: str
    tags: list[str]
    created_at: datetime
    products: list[ProductView]
    use: list[UseView]
    needs_attention: bool
    attention: list[AttentionView]


class CustomerOverview(CustomerOverviewItem, Fresh):
    pass


class CustomerOverviewPage(Fresh):
    items: list[CustomerOverviewItem]
    next: str | None


class ByManagementType(View):
    partner_managed: int
    customer_managed: int
    co_managed: int


class SubscriptionCounts(View):
    """Subscriptions that run: those in trial, and those in a paid term."""

    trial: int
    paid: int


class CustomerTotals(Fresh):
    customers: int
    by_management_type: ByManagementType
    subscriptions: SubscriptionCounts
    needs_attention: int
