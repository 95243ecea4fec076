"""Licensing keeps still about a customer that is being moved, and says so; after that its old partner tells nothing of it (MKT-02)."""

import asyncio
import json
from contextlib import suppress
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from chassis.consumers import Event
from chassis.database import WorkerDatabase
from chassis.due import DueWorker
from chassis.ids import new_id
from chassis_testing.clock import FixedClock
from contracts.any.releasing import CustomerReleased
from contracts.customers.customers import CustomerChanged
from contracts.licensing.subscriptions import TrialExpired
from licensing import customers, provisioning
from licensing.due import DUE
from licensing.errors import CustomerMoving
from licensing.offboarding import rehoming, releasing
from licensing.rules import beginnings
from licensing.rules.beginnings import Recipient
from licensing.rules.orders import Accepted
from licensing.tables.offers import Offer
from licensing.tables.subscriptions import Subscription
from licensing_testing.builders import CustomerTold, a_trial, an_offer, asked
from licensing_testing.desk import Desk


async def hear(database: WorkerDatabase, event: Event[CustomerChanged]) -> None:
    """What licensing does with a customer's state, in one transaction as its consumer does it."""
    async with database.work() as work:
        await customers.SERVED.apply(work, [event])
        async with work.item(event.envelope.partner_id, cause=event.envelope) as tx:
            await releasing.RELEASING.step().handle(tx, event)
            await rehoming.follow(tx, event)
            await provisioning.follow(tx, event)


async def told(database: WorkerDatabase, *topics: str) -> list[tuple[str, str]]:
    """What is told in these topics, and under which partner, in the order told."""
    async with database.direct() as connection:
        rows = await connection.fetch("select topic, headers from outbox where topic = any($1) order by id", list(topics))
    return [(row["topic"], dict(json.loads(row["headers"]))["ce_partnerid"]) for row in rows]


async def begin(desk: Desk, customer_id: UUID, offer: Offer) -> None:
    """Somebody at the desk begins a trial."""
    recipient = Recipient(customer_id=customer_id, zone=ZoneInfo("Europe/Berlin"), data_region="default")
    async with desk.api.change(desk.principal) as tx:
        await beginnings.start_trial(tx, new_id(), Accepted(offer=offer, quantity=1, serial_number=None), recipient)


async def test_whoever_asks_is_refused_and_work_waits_until_the_customer_has_gone(
    worker_database: WorkerDatabase, clock: FixedClock, desk: Desk
) -> None:
    """A trial that ends meanwhile ends at the new partner, on its own time."""
    old, new = desk.principal.partner_id, new_id()
    customer = CustomerTold(partner_id=old, id=new_id())
    await hear(worker_database, customer.now("active", clock.now()))
    trial = await desk.set_up(lambda tx: a_trial(tx, customer_id=customer.id))
    offer = await desk.set_up(an_offer)
    await desk.knows(customer.id)
    async with worker_database.direct() as connection:
        await connection.execute("delete from outbox")
    customer.moving_to = new
    customer.products = [asked(1, offer.code)]
    await hear(worker_database, customer.now("active", clock.now()))

    converted = await desk.post(f"/v1/subscriptions/{trial.id}/convert", {}, if_match="*")
    assert (converted.status_code, converted.json()["code"]) == (409, "customer_moving")
    with pytest.raises(CustomerMoving):
        await begin(desk, customer.id, offer)
    clock.move(timedelta(days=61))
    worker = DueWorker(DUE, worker_database, clock)
    while await worker.work_one():
        pass
    assert await told(worker_database, CustomerReleased.topic, TrialExpired.topic) == [(CustomerReleased.topic, str(old))]

    customer.partner_id, customer.moving_to = new, None
    await hear(worker_database, customer.now("active", clock.now()))
    clock.move(timedelta(seconds=2))
    while await worker.work_one():
        pass
    assert (await told(worker_database, TrialExpired.topic)) == [(TrialExpired.topic, str(new))]
    async with worker_database.work() as work, work.item(new) as tx:
        mine = {one.id for one in await tx.session.scalars(select(Subscription).where(Subscription.partner_id == new))}
    assert trial.id in mine


async def test_a_move_that_is_called_off_lets_everything_go_on_where_it_was(
    worker_database: WorkerDatabase, clock: FixedClock, desk: Desk
) -> None:
    customer = CustomerTold(partner_id=desk.principal.partner_id, id=new_id(), moving_to=new_id())
    offer = await desk.set_up(an_offer)
    customer.products = [asked(1, offer.code)]
    await hear(worker_database, customer.now("active", clock.now()))
    assert await told(worker_database, "trial.started") == []

    customer.moving_to = None
    await hear(worker_database, customer.now("active", clock.now()))

    assert await told(worker_database, "trial.started") == [("trial.started", str(desk.principal.partner_id))]


async def test_what_is_told_in_the_moment_of_the_lock_is_told_before_the_answer_or_not_under_the_old_partner(
    worker_database: WorkerDatabase, clock: FixedClock, desk: Desk
) -> None:
    """Twenty times over. Without the customer's row in both hands, a late fact stands behind the answer."""
    outcomes = set[tuple[str, ...]]()
    offer = await desk.set_up(an_offer)
    for number in range(20):
        customer = CustomerTold(partner_id=desk.principal.partner_id, id=new_id())
        await hear(worker_database, customer.now("active", clock.now()))
        customer.moving_to = new_id()
        locked = customer.now("active", clock.now())
        async with worker_database.direct() as connection:
            await connection.execute("delete from outbox")

        async def start(whom: UUID = customer.id) -> None:
            with suppress(CustomerMoving):
                await begin(desk, whom, offer)

        both = [start(), hear(worker_database, locked)]
        await asyncio.gather(*(both if number % 2 else both[::-1]))
        outcomes.add(tuple(topic for topic, _ in await told(worker_database, "trial.started", CustomerReleased.topic)))

    assert outcomes <= {("trial.started", "customer.released"), ("customer.released",)}
    assert outcomes
