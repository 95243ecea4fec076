"""Conversions: a partner shows itself what converting a trial costs, and converts it (LIC-11, BEY-05).

A preview is kept as a row; its token executes exactly what was shown, or is outdated because
subscription, price or day have moved. Of two conversions at once one finds no trial any more.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, select

from chassis.database import Transaction
from chassis.http.etags import Seen
from chassis.http.views import View
from licensing.errors import CustomerNotServed, NotATrial, PreviewOutdated, SeatsInUse
from licensing.rules import converting, orders, paid_terms
from licensing.rules.explanations import ExplanationView
from licensing.rules.quotes import Quote
from licensing.tables.customers import served_customers
from licensing.tables.offers import Offer
from licensing.tables.previews import Preview
from licensing.tables.subscriptions import Subscription

ANY_VERSION: Final = Seen(None)
_GOOD_FOR: Final = timedelta(minutes=15)
_SERIAL: Final = "serial_number"
_CONVERTIBLE: Final = frozenset({"trial", "paused"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewConversion:
    """``quantity`` is the trial's where it is left out; ``serial_number`` a product's (LIC-10)."""

    subscription_id: UUID
    quantity: int | None = None
    serial_number: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertTrial:
    """What a token confirms need not be said again; said otherwise, the token does not confirm it."""

    subscription_id: UUID
    quantity: int | None = None
    preview_token: UUID | None = None
    serial_number: str | None = None
    seen: Seen = ANY_VERSION


class PreviewView(View, frozen=True, kw_only=True):
    """What converting would do. Nothing has changed yet; the token is good until ``expires_at``."""

    preview_token: UUID
    expires_at: datetime
    subscription_id: UUID
    subscription_version: int
    quantity: int
    serial_number: str
    term_start: datetime
    term_end: datetime
    auto_renew: bool
    currency: str
    unit_price: Decimal
    total: Decimal
    lines: list[ExplanationView]


async def preview(tx: Transaction, command: PreviewConversion) -> PreviewView:
    """What converting now would rate.

    Raises:
        Refusal: converting would be refused, for the same reason.
    """
    subscription = await _convertible(tx, command.subscription_id)
    code = await converting.evidence(tx, subscription, command.serial_number)
    _, agreed = await _quote(tx, subscription, command.quantity)
    await _forget_expired(tx, subscription)
    kept = Preview(
        partner_id=tx.partner_id,
        id=tx.new_id(),
        subscription_id=subscription.id,
        subscription_version=subscription.version,
        quantity=agreed.quantity,
        shown=_kept(agreed, code),
        expires_at=tx.now + _GOOD_FOR,
    )
    tx.session.add(kept)
    return _shown(kept, subscription, agreed, code or subscription.serial_number)


async def convert(tx: Transaction, command: ConvertTrial) -> Subscription:
    """Convert a trial; the subscription keeps its id, and its paid period starts today (rule 10).

    Raises:
        NotATrial: it was converted before, or has ended.
        CapabilityMissing: the partner's programme does not grant it (C-7).
        PreviewOutdated: the token's preview is no longer what would happen.
    """
    subscription = await _convertible(tx, command.subscription_id)
    command.seen.admit(subscription.version)
    shown = await _previewed(tx, command, subscription)
    code = await converting.evidence(tx, subscription, shown.shown.get(_SERIAL) if shown else command.serial_number)
    offer, agreed = await _quote(tx, subscription, shown.quantity if shown else command.quantity)
    if shown is not None and _kept(agreed, code) != shown.shown:
        raise PreviewOutdated
    subscription.serial_number = code or subscription.serial_number
    await converting.convert(tx, subscription, offer, agreed)
    return subscription


async def _convertible(tx: Transaction, subscription_id: UUID) -> Subscription:
    """The trial, locked. A state that forbids it outweighs a stale ``If-Match`` (RFC 9110, 13.2.1)."""
    subscription = await converting.lock(tx, subscription_id)
    if subscription.status not in _CONVERTIBLE:
        raise NotATrial(status=subscription.status)
    customer = select(served_customers.c.status).where(
        served_customers.c.partner_id == tx.partner_id, served_customers.c.id == subscription.customer_id
    )
    if (await tx.session.execute(customer)).scalar_one_or_none() != "active":
        raise CustomerNotServed
    return subscription


async def _quote(tx: Transaction, subscription: Subscription, quantity: int | None) -> tuple[Offer, Quote]:
    seats = orders.checked_quantity(subscription.seats_bought if quantity is None else quantity)
    if seats < subscription.seats_used:
        raise SeatsInUse(seats_used=subscription.seats_used)
    return await converting.quote(tx, subscription, seats)


async def _previewed(tx: Transaction, command: ConvertTrial, subscription: Subscription) -> Preview | None:
    """The preview that is to be executed, None where the caller confirms none."""
    if command.preview_token is None:
        return None
    wanted = select(Preview).where(
        Preview.partner_id == tx.partner_id, Preview.id == command.preview_token, Preview.subscription_id == subscription.id
    )
    kept = (await tx.session.execute(wanted)).scalar_one_or_none()
    if kept is None or kept.expires_at <= tx.now or kept.subscription_version != subscription.version:
        raise PreviewOutdated
    if command.quantity is not None and command.quantity != kept.quantity:
        raise PreviewOutdated
    if command.serial_number is not None and command.serial_number != kept.shown.get(_SERIAL):
        raise PreviewOutdated
    return kept


def _kept(agreed: Quote, code: str | None) -> dict[str, Any]:
    """What a confirmation is compared with."""
    return {**agreed.shown(), _SERIAL: code}


async def _forget_expired(tx: Transaction, subscription: Subscription) -> None:
    await tx.session.execute(
        delete(Preview).where(Preview.partner_id == tx.partner_id, Preview.subscription_id == subscription.id, Preview.expires_at <= tx.now)
    )


def _shown(kept: Preview, subscription: Subscription, agreed: Quote, serial_number: str) -> PreviewView:
    return PreviewView(
        preview_token=kept.id,
        expires_at=kept.expires_at,
        subscription_id=subscription.id,
        subscription_version=subscription.version,
        quantity=agreed.quantity,
        serial_number=serial_number,
        term_start=agreed.term_start,
        term_end=agreed.term_end,
        auto_renew=subscription.auto_renew,
        currency=agreed.price.currency,
        unit_price=agreed.price.unit_price,
        total=agreed.total,
        lines=[ExplanationView.of_entity(paid_terms.fact(subscription, line)) for line in agreed.lines],
    )
