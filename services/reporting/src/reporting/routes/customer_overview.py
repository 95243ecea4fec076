"""The overview of customers over HTTP: the list with its filters, one customer, the totals."""

from typing import Annotated, Final
from uuid import UUID

from annotated_types import Len
from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from chassis.http.calls import Call, allow
from chassis.http.lists import DEFAULT_LIMIT, Asked, Cursor, Limit
from chassis.http.text import Name, Text
from contracts.customers.customers import CustomerStatus, ManagementType
from reporting import customer_overview, customer_totals
from reporting.customer_overview import OverviewPageView, OverviewView
from reporting.customer_totals import CustomerTotalsView
from reporting.rules.attention_policy import Severity
from reporting.rules.customer_filters import Filters
from reporting.rules.customer_orders import SortBy
from reporting.rules.product_use import Kind

router = APIRouter(prefix="/v1/customer-overview", tags=["customer_overview"])

READERS: Final = frozenset({"partner", "service", "operator"})

type Code = Annotated[str, Text(100)]


class OverviewQuery(Asked):
    """Each filter left out means all (CUS-33); those given are combined.

    `alerts` is how much a reason for attention weighs at least: `warning` means warnings and critical ones.
    `require_update` is whether any endpoint needs the newest agent.
    """

    q: Name | None = None
    management_type: Annotated[list[ManagementType], Len(max_length=3)] = Field(default_factory=list)
    product_type: Annotated[list[Code], Len(max_length=50)] = Field(default_factory=list)
    product: Code | None = None
    kind: Kind | None = None
    status: Annotated[list[CustomerStatus], Len(max_length=8)] = Field(default_factory=list)
    attention: bool | None = None
    alerts: Severity | None = None
    require_update: bool | None = None
    sort: SortBy = "name"
    cursor: Cursor | None = None
    limit: Limit = DEFAULT_LIMIT

    def filters(self) -> Filters:
        return Filters(
            fragment=self.q,
            management_types=self.management_type,
            product_types=self.product_type,
            product=self.product,
            kind=self.kind,
            statuses=self.status,
            attention=self.attention,
            alerts=self.alerts,
            require_update=self.require_update,
        )


@router.get("", response_model=OverviewPageView)
async def list_customers(query: Annotated[OverviewQuery, Query()], call: Annotated[Call, allow(kinds=READERS)]) -> Response:
    async with call.read() as read:
        page = await customer_overview.for_partner(read, query.filters(), sort=query.sort, cursor=query.cursor, limit=query.limit)
        return call.answer(page)


@router.get("/totals", response_model=CustomerTotalsView)
async def totals(call: Annotated[Call, allow(kinds=READERS)]) -> Response:
    async with call.read() as read:
        return call.answer(await customer_totals.for_partner(read))


@router.get("/{customer_id}", response_model=OverviewView)
async def get(customer_id: UUID, call: Annotated[Call, allow(kinds=READERS)]) -> Response:
    async with call.read() as read:
        customer = await customer_overview.one(read, customer_id)
        return call.answer(customer, version=customer.version)
