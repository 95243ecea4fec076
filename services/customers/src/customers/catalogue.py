"""What is known here of offers and programmes, as licensing tells them, so that an order is refused at once (CUS-17)."""

from typing import Any, Final

from chassis.access.projection import follow
from chassis.consumers import Projection
from contracts.licensing.offers import OfferChanged
from contracts.licensing.programmes import ProgrammeChanged
from customers.tables.known import offers, programmes


def _programme(record: ProgrammeChanged) -> dict[str, Any]:
    state = record.state
    return {"partner_id": state.partner_id, "id": state.id, "status": state.status, "capabilities": state.capabilities}


def _offer(record: OfferChanged) -> dict[str, Any]:
    state = record.state
    return {
        "id": state.id,
        "code": state.code,
        "status": state.status,
        "trial": state.trial is not None,
        "trial_seat_cap": state.trial.seat_cap if state.trial else None,
        "paid": state.price is not None,
    }


FOLLOW_PROGRAMMES: Final[Projection[ProgrammeChanged]] = follow(ProgrammeChanged, programmes, _programme)
FOLLOW_OFFERS: Final[Projection[OfferChanged]] = follow(OfferChanged, offers, _offer)
