"""Changes of who manages a customer's product: asked for by its partner, decided by the customer (CUS-48, CUS-49)."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from contracts.customers.customers import CustomerFact, ManagementType


class CustomerManagementRequested(CustomerFact):
    """The customer was asked; until it confirms, it is managed as before."""

    topic: ClassVar[str] = "customer.management_requested"
    consent_id: UUID
    management_type: ManagementType
    expires_at: datetime


class CustomerManagementChanged(CustomerFact):
    """The customer has confirmed: from now it is managed so."""

    topic: ClassVar[str] = "customer.management_changed"
    consent_id: UUID
    before: ManagementType
    management_type: ManagementType


class CustomerManagementDeclined(CustomerFact):
    topic: ClassVar[str] = "customer.management_declined"
    consent_id: UUID
    management_type: ManagementType


class CustomerManagementExpired(CustomerFact):
    topic: ClassVar[str] = "customer.management_expired"
    consent_id: UUID
    management_type: ManagementType
