"""The overview of a partner's customers: one row each, from ``customer.changed``, with what its subscriptions add up to.

A version replaces a lower one and is dropped otherwise, so replays change nothing. Customers
whom the caller's roles hide are absent (CUS-85); operators see those of every partner.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from asyncpg import Record
from msgspec import UNSET
from sqlalchemy import ColumnElement, FromClause, Select, Text, bindparam, cast, delete, select
from sqlalchemy.dialects.postgresql import JSONB

from chassis.access.projection import follow
from chassis.access.rights import CustomerNotFound
from chassis.consumers import Event, Projection
from chassis.consumers.events import Tombstone
from chassis.database import Read, Reading
from chassis.database.worker import Work
from chassis.http.lists import Sort
from chassis.http.views import View, Withheld
from chassis.names import search_key
from contracts.customers.customers import CommunicationsMode, CustomerChanged, CustomerStatus, ManagementType
from reporting.rules import attention, endpoint_counts, freshness, homes, policies
from reporting.rules.attention import AlertsView, AttentionView
from reporting.rules.attention_policy import AttentionPolicy
from reporting.rules.customer_filters import Filters, Given, conditions
from reporting.rules.customer_orders import SORTS, SortBy
from reporting.rules.product_use import KEPT, ProductView, UseView, products, recount, use_by_type
from reporting.tables.customer_overview import CustomerOverview
from reporting.tables.endpoints import Endpoint
from reporting.tables.provisioning_rejections import ProvisioningRejection

_TABLE: Final = CustomerOverview.metadata.tables[CustomerOverview.__tablename__]


class ContactView(View, frozen=True):
    name: str
    email: str
    phone: str | None


class OverviewRowView(View, frozen=True, kw_only=True):
    """One customer as the overview shows it (CUS-30, CUS-34).

    `require_update` is how many endpoints need the newest agent. Of a customer that manages itself its partner sees no
    `contact`, `communications_mode`, `domain` and `city` (CUS-51).
    """

    id: UUID
    partner_id: UUID
    version: int
    name: str
    status: CustomerStatus
    management_type: ManagementType
    communications_mode: Withheld[CommunicationsMode] = UNSET
    contact: Withheld[ContactView] = UNSET
    domain: Withheld[str] = UNSET
    city: Withheld[str] = UNSET
    country: str
    tags: list[str]
    created_at: datetime
    products: list[ProductView]
    use: list[UseView]
    require_update: int
    alerts: AlertsView
    needs_attention: bool
    attention: list[AttentionView]


class OverviewView(OverviewRowView, frozen=True, kw_only=True):
    as_of: datetime | None
    lag_seconds: float | None


class OverviewPageView(View, frozen=True, kw_only=True):
    items: list[OverviewRowView]
    next: str | None
    as_of: datetime | None
    lag_seconds: float | None


async def project(work: Work, events: Sequence[Event[CustomerChanged]]) -> None:
    """Let customers be as they are told; what subscriptions told before them is counted now."""
    await _ROWS.apply(work, events)
    customers = {event.record.state.id for event in events}
    await homes.settle(work, customers)
    await recount(work, customers)
    await endpoint_counts.recount(work, customers)


async def forget(work: Work, ended: Sequence[Tombstone]) -> None:
    """Remove customers of whom nothing is kept, with what was told of them beside."""
    await _ROWS.forget(work, ended)
    customers = [one.entity_id for one in ended]
    await homes.forget(work, customers)
    for table in (Endpoint, ProvisioningRejection):
        gone = delete(table).where(table.customer_id.in_(customers))
        await work.session.execute(gone, execution_options={"across_partners": "a tombstone says which entity ends, not whose it was"})


async def for_partner(
    read: Read, filters: Filters, *, sort: SortBy = "name", cursor: str | None = None, limit: int = 50
) -> OverviewPageView:
    """One page of the customers that the caller may see (CUS-29, CUS-31 to CUS-33).

    Raises:
        BadCursor: the cursor is none of this order's.
    """
    order = SORTS[sort]
    after = order.read(cursor)
    fresh = await freshness.of(read)
    policy = (await policies.read(read, AttentionPolicy)).policy
    shape = _Shape(sort=order, after=bool(after), given=filters.given)
    rows = await read.rows(_PAGE, shape, limit=limit + 1, **filters.parameters(policy, read.now), **after)
    return OverviewPageView(
        items=[OverviewRowView.of(row, **_made(read, row, policy)) for row in rows[:limit]],
        next=order.cursor(dict(rows[limit - 1].items())) if len(rows) > limit else None,
        as_of=fresh.as_of,
        lag_seconds=fresh.lag_seconds,
    )


async def one(read: Read, customer_id: UUID) -> OverviewView:
    """One customer.

    Raises:
        CustomerNotFound: there is none that the caller may see.
    """
    fresh = await freshness.of(read)
    row = await read.row(_ONE, id=customer_id)
    if row is None:
        raise CustomerNotFound
    policy = (await policies.read(read, AttentionPolicy)).policy
    return OverviewView.of(row, **_made(read, row, policy), as_of=fresh.as_of, lag_seconds=fresh.lag_seconds)


def _row(record: CustomerChanged) -> dict[str, Any]:
    state = record.state
    return {
        "partner_id": state.partner_id,
        "id": state.id,
        "name": state.company.name,
        "name_key": search_key(state.company.name),
        "status": state.status,
        "management_type": state.management_type,
        "communications_mode": state.communications_mode,
        "contact_name": state.contact.name,
        "contact_email": state.contact.email,
        "contact_phone": state.contact.phone,
        "domain": state.domain,
        "city": state.company.city,
        "country": state.company.country,
        "tags": state.tags,
        "created_at": state.created_at,
    }


_ROWS: Final = follow(CustomerChanged, _TABLE, _row)
PROJECTION: Final = Projection(name="customer overview", record=CustomerChanged, apply=project, forget=forget, keeps=KEPT)


def _made(read: Read, row: Record, policy: AttentionPolicy) -> dict[str, Any]:
    """What of a row is not shown as it is kept."""
    owned = products(row["products"])
    why = attention.reasons(row, owned, policy, read.now)
    return {
        "contact": ContactView(row["contact_name"], row["contact_email"], row["contact_phone"]),
        "products": owned,
        "use": use_by_type(owned),
        "require_update": row["agent_updates"],
        "alerts": attention.alerts(why),
        "needs_attention": bool(why),
        "attention": why,
        **(_WITHHELD if row["management_type"] == "customer_managed" and read.principal.kind in _PARTNERS else {}),
    }


_PARTNERS: Final = frozenset({"partner", "service"})
_WITHHELD: Final = dict.fromkeys(("contact", "communications_mode", "domain", "city"), UNSET)
_FURTHER: Final = ("name_key", "next_trial_end", "contact_name", "contact_email", "contact_phone", *attention.COLUMNS)


def _columns(r: FromClause) -> list[ColumnElement[Any]]:
    further = (cast(r.c[name], Text).label(name) if isinstance(r.c[name].type, JSONB) else r.c[name] for name in _FURTHER)
    return [*OverviewRowView.columns(r), *further]


class _Shape(NamedTuple):
    """What the text of the page's statement depends on."""

    sort: Sort
    after: bool
    given: Given


def _page(r: FromClause, shape: _Shape) -> Select[Any]:
    page = select(*_columns(r)).where(*conditions(r, shape.given))
    if shape.after:
        page = page.where(shape.sort.after(r))
    return page.order_by(*shape.sort.order(r)).limit(bindparam("limit"))


_PAGE: Final = Reading(CustomerOverview, _page, customer="id")
_ONE: Final = Reading(CustomerOverview, lambda r, _shape: select(*_columns(r)).where(r.c.id == bindparam("id")), customer="id")
