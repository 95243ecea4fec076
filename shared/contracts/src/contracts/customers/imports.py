"""Imports: a partner asks to manage a customer that exists already, and the customer decides (CUS-42 to CUS-46).

Until then an import is the partner's own affair: it names the address that was given, and not whether
anybody has it.
"""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from contracts.customers.customers import CustomerFact, ManagementType
from contracts.records import Fact, Personal


class ImportFact(Fact):
    aggregate: ClassVar[str] = "import"


class CustomerImportRequested(ImportFact):
    topic: ClassVar[str] = "customer.import_requested"
    email: Personal[str]
    management_type: ManagementType | None
    expires_at: datetime


class CustomerImportDeclined(ImportFact):
    """``reason`` says whether the customer declined, or the partner has this company under another address already."""

    topic: ClassVar[str] = "customer.import_declined"
    reason: Literal["customer", "duplicate_company"]
    email: Personal[str]
    requested_by: UUID | None


class CustomerImportExpired(ImportFact):
    topic: ClassVar[str] = "customer.import_expired"
    email: Personal[str]
    requested_by: UUID | None


class CustomerImported(CustomerFact):
    """The customer has confirmed and is its new partner's to manage; who owns it has not changed (CUS-46)."""

    topic: ClassVar[str] = "customer.imported"
    import_id: UUID
    owner_partner_id: UUID
    email: Personal[str]
    requested_by: UUID | None
