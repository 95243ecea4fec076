"""Endpoints of a customer over HTTP: what they add up to, and when products came onto them.

A customer that manages itself is no secret here: how its products work is what its partner goes on seeing (CUS-51).
"""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from chassis.http.calls import Call, allow
from chassis.http.lists import Asked
from reporting import deployment_chart, endpoints
from reporting.deployment_chart import DeploymentChartView, Window
from reporting.endpoints import EndpointSummaryView

router: Final = APIRouter(prefix="/v1/customers/{customer_id}", tags=["endpoints"])

READERS: Final = frozenset({"partner", "service", "operator", "customer"})


class ChartQuery(Asked):
    window: Window = "24_hours"


@router.get("/endpoint-summary", response_model=EndpointSummaryView)
async def summary(customer_id: UUID, _: Annotated[Asked, Query()], call: Annotated[Call, allow(kinds=READERS)]) -> Response:
    """What the customer's endpoints add up to, as its products reported them last (REP-13)."""
    async with call.read(customer=customer_id) as read:
        return call.answer(await endpoints.summary(read, customer_id))


@router.get("/deployment-chart", response_model=DeploymentChartView)
async def chart(customer_id: UUID, query: Annotated[ChartQuery, Query()], call: Annotated[Call, allow(kinds=READERS)]) -> Response:
    """On how many devices each product is, and when it came onto them in the last hours, days or months (REP-06, REP-07)."""
    async with call.read(customer=customer_id) as read:
        return call.answer(await deployment_chart.of_customer(read, customer_id, query.window))
