"""Customers as they are listed, searched and shown (CUS-29, CUS-31 to CUS-34).

Of a contact's time zone it is said whether it observes daylight saving (CUS-08).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import UNSET
from sqlalchemy import FromClause, Select, bindparam, select

from chassis.database import Read, Reading
from chassis.http.lists import Given, Listing, Paged, Wanted
from chassis.http.views import Keyed, Stored, View, Withheld
from chassis.principal import PARTNERS
from contracts.customers.customers import AccountType, CommunicationsMode, Company, CustomerStatus, FirstAdmin, ManagementType, ProductAsked
from contracts.customers.users import UserKind
from customers.errors import CustomerNotFound
from customers.rules.selecting import EVERYBODY, SORTS, Filters, narrowed
from customers.rules.signing_in import partner_may
from customers.rules.time_zones import observes_daylight_saving
from customers.tables.customers import Customer


class ContactView(View, frozen=True, kw_only=True):
    """A contact; `observes_daylight_saving` says whether its time zone has daylight saving time this year (CUS-08)."""

    name: str
    email: str
    phone: str | None
    language: str
    time_zone: str
    observes_daylight_saving: bool


class CustomerListView(View, frozen=True, kw_only=True):
    """A customer in a list."""

    id: UUID
    partner_id: UUID
    version: int
    status: CustomerStatus
    management_type: ManagementType
    communications_mode: CommunicationsMode
    company: Stored[Company]
    domain: str
    contact: Stored[ContactView]
    account_type: AccountType
    tags: list[str]
    created_at: datetime


class CustomerView(View, frozen=True, kw_only=True):
    """One customer, whole. Its own users are not shown what is the partner's: products asked for, what a review found and said, tags.

    `rejected_for` is why a review has rejected it; only an operator takes that back (CUS-13).
    `management_wanted` is what the customer was asked to be managed as, while it has not answered (CUS-48). Who signs in at a
    customer that manages itself, or is closed since `shut_out_at`, is not shown to its partner: `first_admin` is left out (CUS-51, MKT-05).
    """

    id: UUID
    partner_id: UUID
    owner_partner_id: UUID
    version: int
    status: CustomerStatus
    management_type: ManagementType
    communications_mode: CommunicationsMode
    company: Stored[Company]
    domain: str
    contact: Stored[ContactView]
    first_admin: Withheld[Stored[FirstAdmin]] = UNSET
    products: Withheld[Stored[list[ProductAsked]]] = UNSET
    review_reasons: Withheld[list[str]] = UNSET
    rejected_for: Withheld[str | None] = UNSET
    tags: Withheld[list[str]] = UNSET
    data_region: str
    account_type: AccountType
    unmanaged_macs_allowed: bool
    management_wanted: ManagementType | None
    imported_at: datetime | None
    shut_out_at: datetime | None
    created_at: datetime
    updated_at: datetime


def _build(relation: FromClause, given: Given) -> Select[Any]:
    return narrowed(select(*CustomerListView.columns(relation)), relation, given)


_CUSTOMERS: Final = Paged(Customer, CustomerListView, SORTS, build=_build, customer="id")
_ONE: Final = Reading(Customer, lambda r, _shape: select(*CustomerView.columns(r)).where(r.c.id == bindparam("id")), customer="id")
_WITHHELD: Final = dict.fromkeys(("products", "review_reasons", "rejected_for", "tags"), UNSET)


async def page(read: Read, wanted: Wanted, filters: Filters = EVERYBODY) -> Listing[CustomerListView]:
    """The customers that the reader sees, as far as the filters leave them."""
    year = read.now.year

    def listed(row: Keyed) -> CustomerListView:
        return CustomerListView.of(row, contact=_contact(row["contact"], year))

    return await _CUSTOMERS.page(read, wanted, view=listed, **filters.params)


async def one(read: Read, customer_id: UUID) -> CustomerView:
    """One customer.

    Raises:
        CustomerNotFound: there is none that the reader sees.
    """
    row = await read.row(_ONE, id=customer_id)
    if row is None:
        raise CustomerNotFound
    hidden = _hidden(read.principal.kind, row["management_type"], row["shut_out_at"])
    return CustomerView.of(row, contact=_contact(row["contact"], read.now.year), **hidden)


def shown(customer: Customer, *, to: UserKind = "partner") -> CustomerView:
    """A customer that was just changed, as ``one`` answers it."""
    contact = _contact(msgspec.json.encode(customer.contact).decode(), customer.updated_at.year)
    return CustomerView.of_entity(customer, contact=contact, **_hidden(to, customer.management_type, customer.shut_out_at))


def _hidden(to: UserKind, management_type: str, shut_out_at: datetime | None) -> Mapping[str, Any]:
    """What of a customer is not for those who ask."""
    if to == "customer":
        return _WITHHELD
    seen = partner_may(management_type) and shut_out_at is None
    return {} if to not in PARTNERS or seen else {"first_admin": UNSET}


class _Somewhere(msgspec.Struct, frozen=True):
    """What is looked at of a contact that goes out as it is kept."""

    time_zone: str


_where: Final = msgspec.json.Decoder(_Somewhere).decode


def _contact(kept: str, year: int) -> msgspec.Raw:
    """A ``ContactView`` as JSON: what is kept, and one member more."""
    observes = observes_daylight_saving(_where(kept).time_zone, year)
    return msgspec.Raw(f'{kept[:-1]}, "observes_daylight_saving": {"true" if observes else "false"}}}'.encode())
