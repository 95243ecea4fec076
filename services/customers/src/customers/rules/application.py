"""An application: what a partner asks for when it creates a customer (CUS-03 to CUS-08, CUS-15, CUS-21 to CUS-26)."""

from dataclasses import dataclass

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
    """Texts are clean (NFC, trimmed, bounded) when they come here. ``products`` are numbered from 1."""

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
