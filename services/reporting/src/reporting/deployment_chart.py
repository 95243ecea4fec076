"""The deployment chart of a customer: on how many devices each product is, and when it came onto them (CUS-38, REP-06, REP-07)."""

from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, FromClause, Interval, Select, and_, bindparam, func, select

from chassis.database import Read, Reading
from chassis.http.views import View
from reporting.rules import freshness
from reporting.rules.freshness import FreshnessView
from reporting.tables.endpoints import Endpoint

type Window = Literal["24_hours", "7_days", "30_days", "3_months"]

_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_WINDOWS: Final[dict[Window, tuple[timedelta, timedelta]]] = {
    "24_hours": (24 * _HOUR, _HOUR),
    "7_days": (7 * _DAY, _DAY),
    "30_days": (30 * _DAY, _DAY),
    "3_months": (91 * _DAY, 7 * _DAY),
}
"""How long each window is, and each step in it."""


class ProductDeploymentView(View, frozen=True):
    """On how many devices a product is now, and onto how many of them it came in the window."""

    product: str
    deployed: int
    deployed_in_window: int


class DeploymentPointView(View, frozen=True):
    """Onto how many devices a product came in the step that begins `at`; steps without any are left out."""

    at: datetime
    product: str
    deployed: int


class DeploymentChartView(View, frozen=True, kw_only=True):
    """The window ends now. Devices whose product does not say when it came count in `deployed` alone."""

    window: Window
    since: datetime
    until: datetime
    step_seconds: int
    deployed: int
    deployed_in_window: int
    products: list[ProductDeploymentView]
    points: list[DeploymentPointView]
    freshness: FreshnessView


async def of_customer(read: Read, customer_id: UUID, window: Window) -> DeploymentChartView:
    """What was deployed at a customer, in business time; nothing while no product has reported any device."""
    fresh = await freshness.of(read)
    length, step = _WINDOWS[window]
    since = read.now - length
    asked = {"customer_id": customer_id, "since": since, "until": read.now}
    products = [ProductDeploymentView.of(row) for row in await read.rows(_PRODUCTS, **asked)]
    points = [DeploymentPointView.of(row) for row in await read.rows(_POINTS, **asked, step=step)]
    return DeploymentChartView(
        window=window,
        since=since,
        until=read.now,
        step_seconds=int(step.total_seconds()),
        deployed=sum(one.deployed for one in products),
        deployed_in_window=sum(one.deployed_in_window for one in products),
        products=products,
        points=points,
        freshness=fresh,
    )


def _present(r: FromClause) -> ColumnElement[bool]:
    return and_(r.c.customer_id == bindparam("customer_id", type_=r.c.customer_id.type), ~r.c.deleted)


def _in_window(r: FromClause) -> ColumnElement[bool]:
    since, until = (bindparam(name, type_=DateTime(timezone=True)) for name in ("since", "until"))
    return and_(r.c.deployed_at > since, r.c.deployed_at <= until)


def _products(r: FromClause, _shape: object) -> Select[tuple[str, int, int]]:
    counts = (func.count().label("deployed"), func.count().filter(_in_window(r)).label("deployed_in_window"))
    return select(r.c.product, *counts).where(_present(r)).group_by(r.c.product).order_by(r.c.product)


def _points(r: FromClause, _shape: object) -> Select[tuple[datetime, str, int]]:
    step = func.date_bin(bindparam("step", type_=Interval), r.c.deployed_at, bindparam("since", type_=DateTime(timezone=True)))
    counted = select(step.label("at"), r.c.product, func.count().label("deployed")).where(_present(r), _in_window(r))
    return counted.group_by("at", r.c.product).order_by("at", r.c.product)


_PRODUCTS: Final = Reading(Endpoint, _products, customer="customer_id")
_POINTS: Final = Reading(Endpoint, _points, customer="customer_id")
