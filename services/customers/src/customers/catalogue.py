"""What is known here of offers, programmes and subscriptions, as licensing tells them, so that what cannot be is refused at once."""

from typing import Any, Final

from chassis.access.projection import follow
from chassis.consumers import Projection
from contracts.licensing.offers import OfferChanged
from contracts.licensing.programmes import ProgrammeChanged
from contracts.licensing.subscriptions import SubscriptionChanged
from customers.tables.known import offers, programmes, subscriptions


def _programme(record: ProgrammeChanged) -> dict[str, Any]:
    state = record.state
    return {"partner_id": state.partner_id, "id": state.id, "status": state.status, "capabilities": state.capabilities}


def _offer(record: OfferChanged) -> dict[str, Any]:
    state = record.state
    return {
        "id": state.id,
        "code": state.code,
        "product": state.product,
        "status": state.status,
        "trial": state.trial is not None,
        "trial_seat_cap": state.trial.seat_cap if state.trial else None,
        "trials_per_product": state.trial.max_per_customer_product if state.trial else None,
        "paid": state.price is not None,
    }


def _subscription(record: SubscriptionChanged) -> dict[str, Any]:
    kept = ("partner_id", "id", "customer_id", "product", "offer", "status", "partner_owned")
    return {name: getattr(record.state, name) for name in kept}


FOLLOW_PROGRAMMES: Final[Projection[ProgrammeChanged]] = follow(ProgrammeChanged, programmes, _programme)
FOLLOW_OFFERS: Final[Projection[OfferChanged]] = follow(OfferChanged, offers, _offer)
FOLLOW_SUBSCRIPTIONS: Final[Projection[SubscriptionChanged]] = follow(SubscriptionChanged, subscriptions, _subscription)
