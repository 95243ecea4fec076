"""Kafka in: what customers follows so that it can refuse at once (CUS-17)."""

from typing import Any

from chassis.access.projection import follow
from chassis.consumers import Consumer
from contracts.licensing.offers import OfferChanged
from contracts.licensing.programmes import ProgrammeChanged
from customers.tables.known import offers, programmes


def consumers() -> list[Consumer]:
    return [
        Consumer(
            group="customers",
            handlers=[
                follow(ProgrammeChanged, programmes, _programme),
                follow(OfferChanged, offers, _offer),
            ],
        )
    ]


def _programme(record: ProgrammeChanged) -> dict[str, Any]:
    state = record.state
    return {"partner_id": state.partner_id, "id": state.id, "status": state.status}


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
