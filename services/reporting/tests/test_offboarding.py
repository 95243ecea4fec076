"""A customer's timeline changes hands with it, and nothing of a purged customer is left in the read models (C-2, MKT-02)."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from told_to_reporting import NOW, PLACE, a_customer, an_endpoint, event_of, reported, take

from chassis.consumers import Event
from chassis.consumers.batches import Batches
from chassis.consumers.events import Place
from chassis.consumers.parking import Raw
from chassis.database import WorkerDatabase
from chassis.due import DueWorker
from chassis.ids import new_id
from chassis_testing.clock import FixedClock
from chassis_testing.told import an_envelope
from contracts.any.erasing import CustomerErased
from contracts.customers.customers import CustomerChanged, CustomerTagged
from contracts.customers.offboarding import CustomerMoved, CustomerPurged
from contracts.envelope import encode
from reporting import customer_overview, offboarding, timeline
from reporting.consumers import consumers
from reporting.rules import homes
from reporting.rules.freshness import FOLLOWER
from reporting.tables.timeline import Moment


async def moments_of(database: WorkerDatabase, customer_id: UUID) -> list[UUID]:
    async with database.work() as work:
        found = select(Moment.partner_id).where(Moment.customer_id == customer_id)
        return list(await work.session.scalars(found, execution_options={"across_partners": "a test"}))


async def endpoints_of(database: WorkerDatabase, customer_id: UUID) -> list[UUID]:
    async with database.direct() as connection:
        found = await connection.fetch("select partner_id from endpoints where customer_id = $1", customer_id)
    return [row["partner_id"] for row in found]


async def a_late_one(database: WorkerDatabase, customer_id: UUID, old: UUID) -> None:
    """What its old partner told of it before it changed hands, and is heard afterwards."""
    late = CustomerTagged(added=["vip"], removed=[])
    said = an_envelope(late, subject=customer_id, partner_id=old, customer_id=customer_id, version=1, at=NOW)
    async with database.work() as work, work.item(old, cause=said) as tx:
        await timeline.note(tx, Event(envelope=said, record=late, place=PLACE))


async def test_a_move_stands_once_on_the_timeline_of_whoever_has_the_customer_now(worker_database: WorkerDatabase) -> None:
    """MKT-02: both partners tell it."""
    old, new = new_id(), new_id()
    customer = a_customer(new)
    moved = CustomerMoved(from_partner_id=old, to_partner_id=new, moved_by=new_id())
    for partner_id in (old, new):
        said = an_envelope(moved, subject=customer.id, partner_id=partner_id, customer_id=customer.id, version=2, at=NOW)
        async with worker_database.work() as work, work.item(partner_id, cause=said) as tx:
            await timeline.note(tx, Event(envelope=said, record=moved, place=PLACE))

    assert await moments_of(worker_database, customer.id) == [new]


def raw(event: Event[CustomerChanged], offset: int) -> Raw:
    place = Place(topic=CustomerChanged.topic, partition=0, offset=offset)
    key, headers = str(event.envelope.subject).encode(), tuple(encode(event.envelope))
    return Raw(place=place, key=key, headers=headers, payload=event.record.payload(), timestamp_ms=int(NOW.timestamp() * 1000))


async def test_who_managed_a_customer_for_no_longer_than_a_batch_is_believed_too(worker_database: WorkerDatabase) -> None:
    """What it reported of the customer in that moment was right when it did, and goes to whoever manages the customer now."""
    old, new = new_id(), new_id()
    customer = a_customer(old)
    told = [event_of(customer, 1), event_of(a_customer(new, id=customer.id), 2)]
    following = next(one for one in consumers() if one.group == FOLLOWER)
    await Batches(worker_database, following, prefix="").apply([raw(event, offset) for offset, event in enumerate(told)])

    async with worker_database.work() as work:
        await take(work, [reported(an_endpoint(customer), old)])
    assert await endpoints_of(worker_database, customer.id) == [new]


async def test_it_goes_with_the_customer_and_then_for_good(worker_database: WorkerDatabase, clock: FixedClock) -> None:
    old, new = new_id(), new_id()
    customer, other = a_customer(old), a_customer(old)
    for whose in (customer, other):
        said = an_envelope(CustomerTagged(added=[], removed=[]), subject=whose.id, partner_id=old, customer_id=whose.id, version=1, at=NOW)
        async with worker_database.work() as work, work.item(old, cause=said) as tx:
            await timeline.note(tx, Event(envelope=said, record=CustomerTagged(added=[], removed=[]), place=PLACE))

        async with worker_database.work() as work:
            await homes.note(work, [(old, whose.id)])
    async with worker_database.work() as work:
        await take(work, [reported(an_endpoint(whose), old) for whose in (customer, other)])

    state = CustomerChanged(facts=[], state=a_customer(new, id=customer.id))
    moved = an_envelope(state, subject=customer.id, partner_id=new, customer_id=customer.id, version=2, at=NOW)
    async with worker_database.work() as work:
        await customer_overview.project(work, [Event(envelope=moved, record=state, place=PLACE)])
        await offboarding.REHOMING.apply(work, [Event(envelope=moved, record=state, place=PLACE)])
    assert await moments_of(worker_database, customer.id) == [new]
    assert await endpoints_of(worker_database, customer.id) == [new]

    await a_late_one(worker_database, customer.id, old)
    assert await moments_of(worker_database, customer.id) == [new, new]

    purged = CustomerPurged(user_ids=[])
    said = an_envelope(purged, subject=customer.id, partner_id=new, customer_id=customer.id, version=3, at=NOW)
    async with worker_database.work() as work, work.item(new, cause=said) as tx:
        await offboarding.ERASING.step().handle(tx, Event(envelope=said, record=purged, place=PLACE))
    worker = DueWorker([offboarding.ERASING.due()], worker_database, clock)
    await worker.work_one()
    assert await moments_of(worker_database, customer.id) == [new, new], "the overview has not seen its ending"
    async with worker_database.direct() as connection:
        await connection.execute("delete from customer_overview where id = $1", customer.id)
    clock.move(timedelta(days=1))
    await worker.work_one()

    assert await moments_of(worker_database, customer.id) == []
    assert await moments_of(worker_database, other.id) == [old]
    async with worker_database.direct() as connection:
        told = await connection.fetchval("select payload from outbox where topic = 'customer.erased'")
    counts = CustomerErased.read(told).counts
    assert (counts["moments"], counts["endpoints"]) == (2, 1)
    async with worker_database.work() as work:
        await take(work, [reported(an_endpoint(whose), old) for whose in (customer, other)])
    assert await endpoints_of(worker_database, customer.id) == [], "what is still reported of it is kept nowhere"
    assert await endpoints_of(worker_database, other.id) == [old, old]
