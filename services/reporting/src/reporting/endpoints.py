"""Endpoints: the devices that products protect, from ``endpoint.reported``, and what they add up to for their customers (REP-13).

A report is the whole state of one endpoint: a version replaces a lower one and is dropped otherwise,
so reports may come late, twice or again. One about a customer that is not its partner's is parked.
"""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID, uuid5

from sqlalchemy import BigInteger, ColumnElement, FromClause, Select, bindparam, cast, func, select

from chassis.consumers import Event, Projection
from chassis.consumers.events import Tombstone
from chassis.consumers.upserts import upsert
from chassis.database import Read, Reading
from chassis.database.worker import Work
from chassis.failures import Poison
from chassis.http.views import View
from contracts.products.endpoints import EndpointReported
from reporting.rules import endpoint_counts, freshness, homes
from reporting.rules.freshness import FreshnessView
from reporting.rules.product_use import KEPT
from reporting.tables.endpoints import Endpoint

_TABLE: Final = Endpoint.metadata.tables[Endpoint.__tablename__]


class EndpointCountsView(View, frozen=True, kw_only=True):
    """What endpoints add up to, under the names that partners know (REP-13); `at_risk` are those with `infected_items`."""

    endpoints: int = 0
    protected: int = 0
    disabled: int = 0
    activation_required: int = 0
    agent_update_required: int = 0
    definition_update_required: int = 0
    firmware_update_required: int = 0
    at_risk: int = 0
    risks_blocked: int = 0
    quarantined_items: int = 0
    infected_items: int = 0
    total_detections: int = 0


class ProductEndpointsView(EndpointCountsView, frozen=True, kw_only=True):
    """The endpoints of one product."""

    product: str


class EndpointSummaryView(EndpointCountsView, frozen=True, kw_only=True):
    """All endpoints of a customer, and those of each product. Products tell when they can: see `freshness` (REP-12)."""

    products: list[ProductEndpointsView]
    freshness: FreshnessView


async def project(work: Work, events: Sequence[Event[EndpointReported]]) -> None:
    """Let endpoints be as they are reported, and their customers' rows show it.

    Raises:
        Poison: one is about a customer that its partner never had.
    """
    believed = await homes.kept(work, events, reported=True)
    if not believed:
        return
    await upsert(work.session, _TABLE, [_row(event) for event in believed])
    customers = {event.record.customer_id for event in believed}
    await homes.settle(work, customers)
    await endpoint_counts.recount(work, customers)


async def refuse(_work: Work, _ended: Sequence[Tombstone]) -> None:
    """An endpoint's end is a report like any other: nothing here ends without one.

    Raises:
        Poison: always.
    """
    raise Poison("a report without a body; an endpoint that is gone is reported as deleted")


async def summary(read: Read, customer_id: UUID) -> EndpointSummaryView:
    """What a customer's endpoints add up to; nothing at all while no product has reported any."""
    fresh = await freshness.of(read)
    rows = await read.rows(_SUMMARY, customer_id=customer_id)
    by_product = [ProductEndpointsView.of(row) for row in rows]
    whole = {name: sum(getattr(one, name) for one in by_product) for name in EndpointCountsView.__struct_fields__}
    return EndpointSummaryView(products=by_product, freshness=fresh, **whole)


def _row(event: Event[EndpointReported]) -> dict[str, Any]:
    said = event.record
    return {
        "partner_id": event.envelope.partner_id,
        "id": uuid5(said.customer_id, str(said.endpoint_id)),
        "version": event.envelope.aggregate_version,
        "customer_id": said.customer_id,
        "endpoint_id": said.endpoint_id,
        "product": said.product,
        "kind": said.kind,
        "name": None if said.deleted else said.name,
        "group_name": said.group,
        "protection": said.protection,
        "agent_version": said.agent_version,
        "agent_update_required": said.agent_update_required,
        "definitions_update_required": said.definitions_update_required,
        "firmware_version": said.firmware_version,
        "firmware_update_required": said.firmware_update_required,
        "risks_blocked": said.risks_blocked,
        "quarantined_items": said.quarantined_items,
        "infected_items": said.infected_items,
        "detections": said.detections,
        "last_seen_at": said.last_seen_at,
        "deployed_at": said.deployed_at,
        "deleted": said.deleted,
    }


PROJECTION: Final = Projection(name="endpoints", record=EndpointReported, apply=project, forget=refuse, keeps=(*KEPT, "endpoints"))


def _summed(r: FromClause) -> list[ColumnElement[Any]]:
    having: dict[str, ColumnElement[bool]] = {
        "protected": r.c.protection == "protected",
        "disabled": r.c.protection == "disabled",
        "activation_required": r.c.protection == "activation_required",
        "agent_update_required": r.c.agent_update_required,
        "definition_update_required": r.c.definitions_update_required,
        "firmware_update_required": r.c.firmware_update_required,
        "at_risk": r.c.infected_items > 0,
    }
    sums = {name: r.c[name] for name in ("risks_blocked", "quarantined_items", "infected_items")} | {"total_detections": r.c.detections}
    return [
        func.count().label("endpoints"),
        *(func.count().filter(condition).label(name) for name, condition in having.items()),
        *(cast(func.sum(column), BigInteger).label(name) for name, column in sums.items()),
    ]


def _summary(r: FromClause, _shape: object) -> Select[Any]:
    own = (r.c.customer_id == bindparam("customer_id", type_=r.c.customer_id.type), ~r.c.deleted)
    return select(r.c.product, *_summed(r)).where(*own).group_by(r.c.product).order_by(r.c.product)


_SUMMARY: Final = Reading(Endpoint, _summary, customer="customer_id")
