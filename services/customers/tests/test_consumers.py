"""Customers knows of offers and programmes what licensing tells, the newest version only (CUS-17)."""

from copy import replace
from typing import Any
from uuid import UUID

from sqlalchemy import select

from chassis.consumers import Event
from chassis.consumers.events import Place, Tombstone
from chassis.database import Work
from chassis.ids import new_id
from contracts import samples
from contracts.licensing.offers import OfferChanged, OfferState
from contracts.licensing.programmes import ProgrammeChanged, ProgrammeState
from contracts.records import Record
from customers.consumers import consumers
from customers.tables.known import KnownOffer, KnownProgramme

PLACE = Place(topic="offer.changed", partition=0, offset=0)


def handler(record: type[Record]) -> Any:
    [consumer] = consumers()
    [found] = consumer.of(record.topic)
    return found


def offer(offer_id: UUID, **changes: Any) -> OfferChanged:
    full = samples.records(OfferChanged)[0]
    assert isinstance(full, OfferChanged)
    state = OfferState.model_validate(full.state.model_dump() | {"id": offer_id} | changes)
    return OfferChanged(facts=[], state=state)


def told[R: Record](record: R, version: int) -> Event[R]:
    envelope = samples.envelope(type(record))
    return Event(envelope=replace(envelope, aggregate_version=version), record=record, place=PLACE)


async def known(work: Work, offer_id: UUID) -> Any:
    await work.session.flush()
    columns = (KnownOffer.status, KnownOffer.trial, KnownOffer.trial_seat_cap, KnownOffer.paid)
    found = (await work.session.execute(select(*columns).where(KnownOffer.id == offer_id))).one_or_none()
    return tuple(found) if found else None


async def test_an_offer_is_known_as_it_is_told_last(work: Work) -> None:
    offer_id = new_id()
    follow = handler(OfferChanged)

    await follow.apply(work, [told(offer(offer_id), 2)])
    assert await known(work, offer_id) == ("on_sale", True, 3, True)
    await follow.apply(work, [told(offer(offer_id, status="withdrawn", trial=None, price=None), 3)])
    await follow.apply(work, [told(offer(offer_id), 2)])
    assert await known(work, offer_id) == ("withdrawn", False, None, False)
    await follow.forget(work, [Tombstone(entity_id=offer_id, place=PLACE)])
    assert await known(work, offer_id) is None


async def test_a_programme_is_known_by_its_status_and_what_it_grants(work: Work) -> None:
    """CUS-17."""
    full = samples.records(ProgrammeChanged)[0]
    assert isinstance(full, ProgrammeChanged)
    state = ProgrammeState.model_validate(full.state.model_dump() | {"status": "active"})

    await handler(ProgrammeChanged).apply(work, [told(ProgrammeChanged(facts=[], state=state), 2)])

    found = (await work.session.scalars(select(KnownProgramme).where(KnownProgramme.id == state.id))).one()
    assert (found.partner_id, found.status, found.version) == (state.partner_id, "active", 2)
    assert found.capabilities == state.capabilities != []
