"""An application: what a partner asks for when it creates a customer (CUS-03 to CUS-08, CUS-15, CUS-21 to CUS-26)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self
from uuid import UUID

from contracts.customers.customers import AccountType, CommunicationsMode, Company, Contact, ManagementType, ProductAsked


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstAdminWanted:
    """Who is to sign in first; without ``email`` it is made of the names and the domain (CUS-22)."""

    first_name: str
    last_name: str
    email: str | None = None
    temporary: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateCustomer:
    """Texts are clean (NFC, trimmed, bounded) when they come here. ``products`` are numbered from 1.

    ``accepted_by`` and ``accepted_at`` say who accepted the licence terms and when, where it was not whoever asks, now.
    """

    management_type: ManagementType
    communications_mode: CommunicationsMode = "both"
    company: Company
    contact: Contact
    domain: str
    first_admin: FirstAdminWanted | None = None
    send_welcome: bool = True
    products: tuple[ProductAsked, ...]
    eula_version: str
    tags: tuple[str, ...] = ()
    data_region: str = "default"
    account_type: AccountType = "licensing_portal"
    accepted_by: UUID | None = None
    accepted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """An application as far as it is filled in; what is not, or not soundly, is left out or None.

    A product's ``item`` is its place in the body, from 1.
    """

    company: Mapping[str, str | None] = field(default_factory=dict)
    contact: Mapping[str, str | None] = field(default_factory=dict)
    domain: str | None = None
    first_admin: FirstAdminWanted | None = None
    products: tuple[ProductAsked, ...] | None = None
    eula_version: str | None = None
    data_region: str | None = None

    @classmethod
    def of(cls, whole: CreateCustomer) -> Self:
        return cls(
            company=whole.company.model_dump(),
            contact=whole.contact.model_dump(),
            domain=whole.domain,
            first_admin=whole.first_admin,
            products=whole.products,
            eula_version=whole.eula_version,
            data_region=whole.data_region,
        )
