"""Filters of customers as a query says them (CUS-31, CUS-33, CUS-37)."""

from typing import Annotated, Final, Literal

from annotated_types import Len
from pydantic import Field

from chassis.http.lists import Asked, ListQuery
from chassis.http.text import CountryCode, Text
from contracts.customers.customers import AccountType, CustomerStatus, ManagementType
from customers.rules.selecting import Filters

_MOST: Final = Len(max_length=50)


class CustomerFilters(Asked):
    """What is left out means all, and all that is given must fit. ``q`` is a fragment of the name.

    Others may be given several times, and any of their values fits: ``tag=north&tag=south``; every
    ``all_tags`` must. ``offer`` and ``kind`` are of what a customer has that is not over; ``managed_here`` means only
    customers that have something. Customers that were rejected, deleted or purged are meant only where ``status`` asks for them.
    """

    q: Annotated[str, Text(200)] | None = None
    status: Annotated[list[CustomerStatus], _MOST] = Field(default_factory=list)
    management_type: Annotated[list[ManagementType], _MOST] = Field(default_factory=list)
    account_type: Annotated[list[AccountType], _MOST] = Field(default_factory=list)
    country: Annotated[list[CountryCode], _MOST] = Field(default_factory=list)
    tag: Annotated[list[Annotated[str, Text(50)]], _MOST] = Field(default_factory=list)
    all_tags: Annotated[list[Annotated[str, Text(50)]], _MOST] = Field(default_factory=list)
    offer: Annotated[list[Annotated[str, Text(100)]], _MOST] = Field(default_factory=list)
    kind: Annotated[list[Literal["trial", "paid"]], _MOST] = Field(default_factory=list)
    managed_here: bool = False

    @property
    def filters(self) -> Filters:
        return Filters(
            q=self.q,
            status=self.status,
            management_type=self.management_type,
            account_type=self.account_type,
            country=self.country,
            tags=self.tag,
            all_tags=self.all_tags,
            offers=self.offer,
            kinds=self.kind,
            managed_here=self.managed_here,
        )


class CustomersQuery(ListQuery, CustomerFilters):
    """Sorts: name, type, created_at, status. Filters: those that are left out mean all, and all that are given must fit."""
