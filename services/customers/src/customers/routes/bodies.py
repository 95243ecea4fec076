"""What a request to create a customer looks like (CUS-03 to CUS-08, CUS-15, CUS-21 to CUS-26)."""

from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec
from annotated_types import Len
from pydantic import AfterValidator, Field, JsonValue
from pydantic_core import PydanticCustomError

from chassis.http.bodies import Body, left_out
from chassis.http.etags import Seen
from chassis.http.text import CountryCode, EmailAddress, LanguageTag, Name, Text, TimeZoneName
from contracts.customers.customers import AccountType, CommunicationsMode, Company, Contact, ManagementType, ProductAsked
from contracts.records import JsonObject
from customers import tagging
from customers.details import ChangeDetails
from customers.rules.application import CreateCustomer, FirstAdminWanted

type Line = Annotated[str, Text(200)]
type Phone = Annotated[str, Text(40)]
type Code = Annotated[str, Text(100)]
type Tags = Annotated[list[Annotated[str, Text(50)]], Len(max_length=tagging.MOST)]


class NewCompany(Body):
    name: Name
    address_1: Line
    address_2: Line | None = None
    address_3: Line | None = None
    city: Annotated[str, Text(100)]
    postal_code: Annotated[str, Text(20)] | None = None
    region: Annotated[str, Text(100)] | None = None
    country: CountryCode
    phone: Phone | None = None
    website: Annotated[str, Text(500)] | None = None


class NewContact(Body):
    """An authorised person at the end company. The address becomes the customer's login unless ``first_admin`` says otherwise."""

    name: Name
    email: EmailAddress
    phone: Phone | None = None
    language: LanguageTag = "en"
    time_zone: TimeZoneName


class NewFirstAdmin(Body):
    """``email`` left out is made of the names and the domain; ``temporary`` ones may be elsewhere and be replaced later."""

    first_name: Annotated[str, Text(100)]
    last_name: Annotated[str, Text(100)]
    email: EmailAddress | None = None
    temporary: bool = False


class LastingAddress(Body):
    """The address that takes the place of a temporary one."""

    email: EmailAddress


MOST_ANSWERED: Final = 16 * 1024
MOST_ANSWERED_TOGETHER: Final = 32 * 1024
"""Bytes of JSON. All that a customer's creation answers has to fit into what is kept under an idempotency key."""


def _bounded(answers: dict[str, JsonValue]) -> dict[str, JsonValue]:
    if len(msgspec.json.encode(answers)) > MOST_ANSWERED:
        raise PydanticCustomError("too_large", "Answers of at most {most} bytes of JSON", {"most": MOST_ANSWERED})
    return answers


type Answers = Annotated[JsonObject, AfterValidator(_bounded)]


class NewProduct(Body):
    """``quantity`` may be left out of a trial whose offer says how many seats it has; ``answers`` fill the offer's form."""

    offer: Code
    kind: Literal["trial", "paid"]
    quantity: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    answers: Answers = Field(default_factory=dict)


def _bounded_together(products: list[NewProduct]) -> list[NewProduct]:
    if sum(len(msgspec.json.encode(product.answers)) for product in products) > MOST_ANSWERED_TOGETHER:
        raise PydanticCustomError("too_large", "Answers of at most {most} bytes of JSON together", {"most": MOST_ANSWERED_TOGETHER})
    return products


class ChangedCompany(Body):
    """What is left out stays; `null` empties what may be empty."""

    name: Name = left_out()
    address_1: Line = left_out()
    address_2: Line | None = None
    address_3: Line | None = None
    city: Annotated[str, Text(100)] = left_out()
    postal_code: Annotated[str, Text(20)] | None = None
    region: Annotated[str, Text(100)] | None = None
    country: CountryCode = left_out()
    phone: Phone | None = None
    website: Annotated[str, Text(500)] | None = None


class ChangedContact(Body):
    """What is left out stays; `null` empties what may be empty."""

    name: Name = left_out()
    email: EmailAddress = left_out()
    phone: Phone | None = None
    language: LanguageTag = left_out()
    time_zone: TimeZoneName = left_out()


class ChangedCustomer(Body):
    """Which members a caller may change says `GET /v1/customers/{customer_id}/fields`."""

    company: ChangedCompany = Field(default_factory=ChangedCompany)
    contact: ChangedContact = Field(default_factory=ChangedContact)
    unmanaged_macs_allowed: bool = left_out()

    def command(self, customer_id: UUID, seen: Seen) -> ChangeDetails:
        return ChangeDetails(
            customer_id=customer_id,
            seen=seen,
            company=self.company.model_dump(exclude_unset=True),
            contact=self.contact.model_dump(exclude_unset=True),
            unmanaged_macs_allowed=self.unmanaged_macs_allowed,
        )


class NewTags(Body):
    tags: Tags


class AcceptedEula(Body):
    version: Annotated[str, Text(50)]
    accepted: Literal[True]


class NewCustomer(Body):
    management_type: ManagementType
    communications_mode: CommunicationsMode = "both"
    company: NewCompany
    contact: NewContact
    domain: Annotated[str, Text(253)]
    first_admin: NewFirstAdmin | None = None
    send_welcome: bool = True
    products: Annotated[list[NewProduct], Len(1, 20), AfterValidator(_bounded_together)]
    eula: AcceptedEula
    tags: Tags = Field(default_factory=list)
    data_region: Annotated[str, Text(50)] = "default"
    account_type: AccountType = "licensing_portal"

    def command(self) -> CreateCustomer:
        admin = self.first_admin
        return CreateCustomer(
            management_type=self.management_type,
            communications_mode=self.communications_mode,
            company=Company.model_validate(self.company),
            contact=Contact.model_validate(self.contact),
            domain=self.domain,
            first_admin=FirstAdminWanted(**admin.model_dump()) if admin else None,
            send_welcome=self.send_welcome,
            products=tuple(ProductAsked(item=number, **product.model_dump()) for number, product in enumerate(self.products, start=1)),
            eula_version=self.eula.version,
            tags=tuple(self.tags),
            data_region=self.data_region,
            account_type=self.account_type,
        )
