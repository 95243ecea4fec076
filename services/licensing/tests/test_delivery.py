"""From what customers tells to what licensing tells, through its real consumers and due work, without a broker."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select

from chassis.consumers.batches import Batches
from chassis.consumers.events import Event
from chassis.consumers.fences import fences
from chassis.consumers.parking import Raw
from chassis.database import WorkerDatabase
from chassis.database.outbox import outbox
from chassis.due import DueWorker
from chassis.ids import new_id
from chassis_testing.clock import FixedClock
from contracts.customers.customers import CustomerChanged
from contracts.envelope import encode
from licensing.consumers import CONSUMERS
from licensing.due import DUE
from licensing.tables.customers import served_customers
from licensing.tables.subscriptions import Subscription
from licensing_testing.builders import CustomerTold, an_offer, asked

_LICENSING = next(one for one in CONSUMERS if one.group == "licensing")


async def test_a_state_delivered_again_and_out_of_order_gives_one_trial(worker_database: WorkerDatabase, clock: FixedClock) -> None:
    """CUS-15: replays and reorders change nothing."""
    customer = await _customer_with_offer(worker_database)
    first, second = [customer.now("active", clock.now()) for _ in range(2)]

    for events in ([first], [second], [first, second], [second, first]):
        await _deliver(worker_database, events)

    assert await _told(worker_database) == ["trial.started", "subscription.changed"]


async def test_a_customer_that_was_disabled_meanwhile_is_given_nothing(worker_database: WorkerDatabase, clock: FixedClock) -> None:
    """The newest state of a batch decides, not the one in hand."""
    customer = await _customer_with_offer(worker_database)

    await _deliver(worker_database, [customer.now("active", clock.now()), customer.now("disabled", clock.now())])

    assert await _told(worker_database) == []


async def test_the_customer_is_followed_with_its_newest_version(worker_database: WorkerDatabase, clock: FixedClock) -> None:
    customer = await _customer_with_offer(worker_database)
    old, new = customer.now("pending_review", clock.now()), customer.now("active", clock.now())

    await _deliver(worker_database, [new])
    await _deliver(worker_database, [old])

    async with worker_database.work() as work:
        row = (await work.session.execute(select(served_customers.c.status, served_customers.c.version))).one()
    assert tuple(row) == ("active", 2)


async def test_the_trial_is_announced_and_ends_when_its_time_has_come(worker_database: WorkerDatabase, clock: FixedClock) -> None:
    """LIC-01, rule 10: at day 60, by due work, at business time."""
    customer = await _customer_with_offer(worker_database)
    await _deliver(worker_database, [customer.now("active", clock.now())])
    due = DueWorker(DUE, worker_database, clock)

    clock.move(timedelta(days=58))
    await _work_off(due)
    assert (await _told(worker_database)).count("trial.ending") == 2
    assert await _status(worker_database) == "trial"

    clock.move(timedelta(days=2))
    await _work_off(due)
    assert (await _told(worker_database)).count("trial.expired") == 1
    assert await _status(worker_database) == "expired"


async def _customer_with_offer(database: WorkerDatabase) -> CustomerTold:
    partner_id = new_id()
    async with database.work() as work, work.item(partner_id) as tx:
        offer = await an_offer(tx)
    return CustomerTold(partner_id=partner_id, products=[asked(1, offer.code)])


async def _deliver(database: WorkerDatabase, events: Sequence[Event[CustomerChanged]]) -> None:
    """Every delivery comes at new offsets, so that no fence hides it."""
    batches = Batches(database, _LICENSING, prefix="")
    async with database.work() as work:
        begun = (await work.session.execute(select(fences.c.next_offset))).scalar() or 0
    raws = [_raw(event, begun + place) for place, event in enumerate(events)]
    await batches.apply(raws)


def _raw(event: Event[CustomerChanged], offset: int) -> Raw:
    return Raw(
        place=type(event.place)(topic="customer.changed", partition=0, offset=offset),
        key=str(event.envelope.subject).encode(),
        headers=tuple(encode(event.envelope)),
        payload=event.record.payload(),
        timestamp_ms=0,
    )


async def _work_off(due: DueWorker) -> None:
    while await due.work_one():
        continue


async def _told(database: WorkerDatabase) -> list[str]:
    async with database.work() as work:
        return list((await work.session.execute(select(outbox.c.topic).order_by(outbox.c.id))).scalars())


async def _status(database: WorkerDatabase) -> str:
    async with database.work() as work:
        return (await work.session.execute(select(Subscription.status))).scalar_one()
