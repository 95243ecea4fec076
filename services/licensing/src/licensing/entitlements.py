"""Entitlements: what a customer may use, row by row, with the time that is left (LIC-14), now or at a past moment (BEY-12).

One row per subscription that still gives or may again give something. Actions are those the
state allows, each with the decision of the capability matrix.
"""

from datetime import date, datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from asyncpg import Record
from msgspec import UNSET
from sqlalchemy import FromClause, Select, bindparam, exists, select

from chassis.database import Read, Reading
from chassis.http import moments
from chassis.http.lists import Listing
from chassis.http.views import View, Withheld
from contracts.licensing.subscriptions import SubscriptionStatus
from licensing.rules import served, standings
from licensing.rules.capabilities import Capabilities
from licensing.rules.standings import CapabilityView
from licensing.tables.subscription_moments import SubscriptionMoment
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


def _giving(rows: Select[Any], relation: FromClause) -> Select[Any]:
    given = rows.where(relation.c.status != "cancelled", relation.c.status != "terminated")
    return given.order_by(relation.c.started_at, relation.c.id).limit(1000)


_OF_CUSTOMER: Final = Reading(
    Subscription,
    lambda r, _shape: _giving(select(r).where(r.c.customer_id == bindparam("customer_id", type_=r.c.customer_id.type)), r),
    customer="customer_id",
)


def _then(relation: FromClause, _shape: object) -> Select[Any]:
    """How the customer's subscriptions stood at a moment, each by the last version it had by then."""
    later, as_of = relation.alias("later"), bindparam("as_of", type_=relation.c.at.type)
    same = (later.c.partner_id == relation.c.partner_id, later.c.id == relation.c.id)
    overtaken = exists(select(later.c.id).where(*same, later.c.version > relation.c.version, later.c.at <= as_of))
    stood = select(relation).where(relation.c.customer_id == bindparam("customer_id", type_=relation.c.customer_id.type))
    return _giving(stood.where(relation.c.at <= as_of, ~overtaken), relation)


_THEN: Final = Reading(SubscriptionMoment, _then, customer="customer_id")


async def of_customer(read: Read, customer_id: UUID, as_of: datetime | None = None) -> Listing[EntitlementView]:
    """Oldest first, as they are or as they were then. A customer's own user is shown no actions: they are its partner's.

    Raises:
        CapabilityMissing: the partner may not read them (LIC-06).
        CustomerNotFound: an operator names one that no partner has.
        NotYet: the moment is still to come.
    """
    await standings.to_monitor(read)
    moments.admit(as_of, read.now)
    rows = await (read.rows(_THEN, customer_id=customer_id, as_of=as_of) if as_of else read.rows(_OF_CUSTOMER, customer_id=customer_id))
    if not rows:
        await served.require(read, customer_id)
    may = await standings.read(read, rows[0]["partner_id"], as_of) if rows and read.principal.kind != "customer" else None
    return Listing.whole([_view(row, may, as_of or read.now) for row in rows], as_of=as_of or read.real_now)


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
