"""Entitlements: what a customer may use, row by row, with the time that is left (LIC-14).

One row per subscription that still gives or may again give something. Actions are those the
state allows, each with the decision of the capability matrix.
"""

from datetime import date, datetime, timedelta
from typing import Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from asyncpg import Record
from msgspec import UNSET
from sqlalchemy import bindparam, select

from chassis.database import Read, Reading
from chassis.http.lists import Listing
from chassis.http.views import View, Withheld
from contracts.licensing.subscriptions import SubscriptionStatus
from licensing.rules import served, standings
from licensing.rules.capabilities import Capabilities
from licensing.rules.standings import CapabilityView
from licensing.tables.subscriptions import Subscription

_AUTO_RENEW: Final = "Auto-renew"
_CONVERTIBLE: Final = frozenset({"trial", "paused"})


class TimeRemainingView(View, frozen=True, kw_only=True):
    """``expires_on`` is the first local day without use; ``text`` is what a person reads."""

    text: str
    expires_on: date | None
    days: int | None


class EntitlementView(View, frozen=True, kw_only=True):
    """What a subscription lets its customer use; whose own users are not shown by which offer."""

    subscription_id: UUID
    version: int
    serial_number: str
    offer: Withheld[str] = UNSET
    product: str
    product_type: str
    licence_type: Literal["trial", "paid"]
    status: SubscriptionStatus
    used: int
    capacity: int
    time_remaining: TimeRemainingView
    auto_renew: bool
    actions: list[CapabilityView]


_OF_CUSTOMER: Final = Reading(
    Subscription,
    lambda r, _shape: (
        select(r)
        .where(r.c.customer_id == bindparam("customer_id", type_=r.c.customer_id.type))
        .where(r.c.status != "cancelled", r.c.status != "terminated")
        .order_by(r.c.started_at, r.c.id)
        .limit(1000)
    ),
    customer="customer_id",
)


async def of_customer(read: Read, customer_id: UUID) -> Listing[EntitlementView]:
    """Oldest first. A customer's own user is shown no actions: they are its partner's.

    Raises:
        CapabilityMissing: the partner may not read them (LIC-06).
        CustomerNotFound: an operator names one that no partner has.
    """
    await standings.to_monitor(read)
    rows = await read.rows(_OF_CUSTOMER, customer_id=customer_id)
    if not rows:
        await served.require(read, customer_id)
    may = await standings.read(read, rows[0]["partner_id"]) if rows and read.principal.kind != "customer" else None
    return Listing.whole([_view(row, may, read.now) for row in rows], as_of=read.real_now)


def _view(row: Record, may: Capabilities | None, now: datetime) -> EntitlementView:
    return EntitlementView.of(
        row,
        subscription_id=row["id"],
        licence_type="paid" if row["term_start"] else "trial",
        used=row["seats_used"],
        capacity=row["seats_bought"],
        time_remaining=_time_remaining(row, now),
        actions=_actions(row["status"], may),
    )


def _time_remaining(row: Record, now: datetime) -> TimeRemainingView:
    if row["term_end"] and row["auto_renew"] and row["status"] == "active":
        return TimeRemainingView(text=_AUTO_RENEW, expires_on=None, days=None)
    ends: datetime | None = row["term_end"] or row["trial_ends_at"]
    if ends is None:
        return TimeRemainingView(text="", expires_on=None, days=None)
    expires_on = ends.astimezone(ZoneInfo(row["zone"])).date()
    days = max(0, -((now - ends) // timedelta(days=1)))
    text = f"{days} {'day' if days == 1 else 'days'}, until {expires_on.isoformat()}" if days else f"Expired {expires_on.isoformat()}"
    return TimeRemainingView(text=text, expires_on=expires_on, days=days)


def _actions(status: str, may: Capabilities | None) -> list[CapabilityView]:
    if may is None or status not in _CONVERTIBLE:
        return []
    return [standings.shown(may.decide("convert_trial"))]
