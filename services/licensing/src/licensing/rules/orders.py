"""Orders: whether a customer may be given what is asked for, before anything is changed.

The same refusals answer a request and, for what was asked for at a customer's creation, become
``provisioning.rejected``.
"""

from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import func, select

from chassis.database import Transaction
from contracts.licensing.offers import TrialPolicy
from licensing.errors import QuantityRequired, SeatCapExceeded, TooManyTrials
from licensing.rules import capabilities, offers, serials
from licensing.tables.offers import Offer
from licensing.tables.subscriptions import Subscription

MOST_SEATS: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """``serial_number`` is a product's serial number that the order names, if any."""

    customer_id: UUID
    offer: str
    kind: Literal["trial", "paid"]
    quantity: int | None
    serial_number: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """An order that may be carried out, in this transaction."""

    offer: Offer
    quantity: int
    serial_number: str | None


async def accept(tx: Transaction, order: Order) -> Accepted:
    """Check an order against offer, capabilities and policies (LIC-01, LIC-02, LIC-05, LIC-06, LIC-10).

    Raises:
        Refusal: with the rule that forbids it.
    """
    may = await capabilities.of(tx)
    offer = await offers.on_sale(tx, order.offer)
    if order.kind == "trial":
        may.require("set_up_trial")
        policy = offers.trial_of(offer)
        quantity = _trial_seats(order, policy, offer)
        await _not_too_often(tx, order, policy, offer)
        return Accepted(offer=offer, quantity=quantity, serial_number=None)
    decision = may.require("set_up_paid")
    offers.price_of(offer)
    quantity = checked_quantity(order.quantity)
    serial_number = await serials.evidence(tx, decision, offer.product, order.serial_number)
    return Accepted(offer=offer, quantity=quantity, serial_number=serial_number)


def checked_quantity(quantity: int | None, *, policy_version: str | None = None) -> int:
    """How many seats an order is about.

    Raises:
        QuantityRequired: it does not say, or says what no subscription can have.
    """
    if quantity is None or not 1 <= quantity <= MOST_SEATS:
        raise QuantityRequired(policy_version=policy_version or "1", most=MOST_SEATS)
    return quantity


def _trial_seats(order: Order, policy: TrialPolicy, offer: Offer) -> int:
    """As ordered, else the cap; a cap is never exceeded (C-1)."""
    version = str(offer.offer_version)
    quantity = checked_quantity(policy.seat_cap if order.quantity is None else order.quantity, policy_version=version)
    if policy.seat_cap is not None and quantity > policy.seat_cap:
        raise SeatCapExceeded(policy_version=version, seat_cap=policy.seat_cap, asked=quantity)
    return quantity


async def _not_too_often(tx: Transaction, order: Order, policy: TrialPolicy, offer: Offer) -> None:
    had = select(func.count()).where(
        Subscription.partner_id == tx.partner_id,
        Subscription.customer_id == order.customer_id,
        Subscription.product == offer.product,
        Subscription.trial_policy.is_not(None),
    )
    if (await tx.session.execute(had)).scalar_one() >= policy.max_per_customer_product:
        raise TooManyTrials(policy_version=str(offer.offer_version), product=offer.product, most=policy.max_per_customer_product)
