"""What licensing does when a customer goes: it clears or blocks a deletion, ends what was its partner's, follows it, forgets it (C-2)."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, select

from chassis.access import tables
from chassis.consumers import Event
from chassis.consumers.events import Place
from chassis.database import Transaction, WorkerDatabase
from chassis.due import DueItem, DueRow, DueWorker
from chassis.ids import new_id
from chassis.retelling import retell
from chassis_testing import told
from chassis_testing.clock import FixedClock
from contracts.any.erasing import CustomerErased
from contracts.customers.customers import CustomerStatus
from contracts.customers.offboarding import CancelAt, CustomerPurged, CustomerUnlinked
from contracts.licensing.clearance import CustomerDeletionBlocked, CustomerDeletionCleared
from contracts.licensing.subscriptions import SubscriptionCancelled, SubscriptionCancelScheduled, SubscriptionChanged
from contracts.records import Record
from licensing import customers, provisioning
from licensing.due import DUE
from licensing.errors import CustomerNotServed
from licensing.offboarding import clearance, erasing, rehoming, unlinking
from licensing.rules import beginnings, cancelling
from licensing.rules.beginnings import Recipient
from licensing.rules.orders import Accepted
from licensing.rules.telling import RETELLINGS
from licensing.tables.customers import served_customers
from licensing.tables.lines import BillingLine
from licensing.tables.provisionings import Provisioning
from licensing.tables.subscriptions import Subscription
from licensing_testing.builders import CustomerTold, a_programme, a_serial, a_trial, an_offer, asked
from licensing_testing.desk import Desk

HERE = Place(topic="elsewhere", partition=0, offset=0)


def event(tx: Transaction, record: Record, customer_id: UUID, version: int = 7) -> Event[Any]:
    said = told.an_envelope(record, subject=customer_id, partner_id=tx.partner_id, customer_id=customer_id, version=version, at=tx.now)
    return Event(envelope=said, record=record, place=HERE)


async def a_paid_one(tx: Transaction, customer_id: UUID, *, serial_number: str | None = None, product: str = "sep") -> Subscription:
    offer = await an_offer(tx, product=product)
    recipient = Recipient(customer_id=customer_id, zone=ZoneInfo("Europe/Berlin"), data_region="default")
    accepted = Accepted(offer=offer, quantity=5, serial_number=serial_number)
    subscription = await beginnings.start_paid(tx, new_id(), accepted, recipient)
    tx.told.clear()
    return subscription


async def test_a_deletion_is_blocked_by_each_subscription_that_is_not_over_and_names_it(tx: Transaction) -> None:
    """CUS-62."""
    customer = CustomerTold(partner_id=tx.partner_id)
    trial = await a_trial(tx, customer_id=customer.id)
    over = await a_trial(tx, customer_id=customer.id)
    over.status = "expired"

    await clearance.answer(tx, customer.now("deleting", tx.now))

    (answer,) = tx.told
    assert isinstance(answer.record, CustomerDeletionBlocked)
    (left,) = answer.record.in_the_way
    assert (left.subscription_id, left.product, left.status, left.precondition) == (
        *(trial.id, trial.product, "trial"),
        "no_active_subscriptions",
    )
    assert (answer.about.kind, answer.about.id, answer.about.version) == ("clearance", customer.id, customer.version)


@pytest.mark.parametrize("status", ["active", "disabled", "deleted"])
async def test_nobody_is_answered_who_does_not_ask(tx: Transaction, status: CustomerStatus) -> None:
    await clearance.answer(tx, CustomerTold(partner_id=tx.partner_id).now(status, tx.now))

    assert tx.told == []


async def test_a_product_that_was_asked_for_and_is_not_decided_is_in_the_way(tx: Transaction) -> None:
    offer = await an_offer(tx)
    customer = CustomerTold(partner_id=tx.partner_id, products=[asked(1, offer.code)])
    await provisioning.follow(tx, customer.now("active", tx.now))
    (subscription,) = await tx.session.scalars(select(Subscription).where(Subscription.partner_id == tx.partner_id))
    subscription.status = "expired"
    tx.told.clear()

    await clearance.answer(tx, customer.now("deleting", tx.now))
    customer.products = [*customer.products, asked(2, offer.code)]
    await clearance.answer(tx, customer.now("deleting", tx.now))

    cleared, blocked = tx.told
    assert cleared.record == CustomerDeletionCleared()
    assert isinstance(blocked.record, CustomerDeletionBlocked)
    assert [one.precondition for one in blocked.record.in_the_way] == ["no_pending_orders"]


async def test_a_product_sold_in_the_moment_of_deletion_either_blocks_it_or_is_refused(desk: Desk) -> None:
    """Twenty times over: there is never a cleared customer with a product."""
    outcomes = set[tuple[bool, bool]]()
    for number in range(20):
        customer = CustomerTold(partner_id=desk.principal.partner_id, id=new_id())
        active, deleting = customer.now("active", desk.clock.now()), customer.now("deleting", desk.clock.now())
        offer = await desk.set_up(an_offer)
        async with desk.worker.work() as work:
            await customers.SERVED.apply(work, [active])

        async def sell(tx: Transaction, whom: UUID = customer.id, what: Any = offer) -> bool:
            recipient = Recipient(customer_id=whom, zone=ZoneInfo("Europe/Berlin"), data_region="default")
            await beginnings.start_trial(tx, new_id(), Accepted(offer=what, quantity=1, serial_number=None), recipient)
            return True

        async def delete_it(asking: Event[Any] = deleting) -> bool:
            async with desk.worker.work() as work:
                await customers.SERVED.apply(work, [asking])
                async with work.item(asking.envelope.partner_id, cause=asking.envelope) as tx:
                    await clearance.answer(tx, asking)
                    return isinstance(tx.told[0].record, CustomerDeletionCleared)

        async def sold(selling: Callable[[Transaction], Awaitable[bool]] = sell) -> bool:
            try:
                async with desk.api.change(desk.principal) as tx:
                    return await selling(tx)
            except CustomerNotServed:
                return False

        first, second = (sold, delete_it) if number % 2 else (delete_it, sold)
        came = dict(zip((first, second), await asyncio.gather(first(), second()), strict=True))
        outcomes.add((came[sold], came[delete_it]))

    assert outcomes <= {(True, False), (False, True)}
    assert outcomes


@pytest.mark.parametrize("at", ["now", "period_end"])
async def test_licences_under_the_partners_own_programme_end_with_it(tx: Transaction, at: CancelAt) -> None:
    """CUS-61: at once, or with the period that is paid. What carries the customer's own serial number goes on, and so do trials."""
    await a_programme(tx)
    customer = CustomerTold(partner_id=tx.partner_id)
    owned = await a_paid_one(tx, customer.id)
    own = await a_paid_one(tx, customer.id, serial_number=await a_serial(tx, kind="product", product="sep"))
    trial = await a_trial(tx, customer_id=customer.id)
    tx.told.clear()

    said = CustomerUnlinked(unlinked_by=None, partner_owned_licences=at, policy_version="1")
    await unlinking.follow(tx, event(tx, said, customer.id))

    assert (own.status, trial.status, own.partner_owned, owned.partner_owned) == ("active", "trial", False, True)
    fact, state = tx.told
    assert isinstance(state.record, SubscriptionChanged)
    if at == "now":
        assert fact.record == SubscriptionCancelled(cancelled_at=tx.now, reason="unlinked")
        assert state.record.state.status == owned.status == "cancelled"
        return
    assert fact.record == SubscriptionCancelScheduled(ends_at=owned.term_end or tx.now, reason="unlinked")
    assert state.record.state.status == "cancelling"
    (planned,) = await tx.session.scalars(select(DueRow).where(DueRow.partner_id == tx.partner_id, DueRow.kind == cancelling.END))
    assert planned.due_at == owned.term_end
    await cancelling.end(tx, item_of(planned))
    assert owned.status == "cancelled"
    await cancelling.end(tx, item_of(planned))
    assert tx.facts_told == [SubscriptionCancelScheduled, SubscriptionCancelled]


def item_of(row: DueRow) -> DueItem:
    return DueItem(id=row.id, subject=row.subject, slot=row.slot, due_at=row.due_at, attempts=0, payload=row.payload)


@pytest.mark.parametrize("rehomed_first", [True, False])
async def test_a_customer_takes_its_subscriptions_along_whatever_is_heard_first(
    worker_database: WorkerDatabase, clock: FixedClock, *, rehomed_first: bool
) -> None:
    """MKT-02: they keep their ids. Its trial's end is planned there too, its lines come along, and the old partner tells what it lost."""
    old, new = new_id(), new_id()
    customer = CustomerTold(partner_id=old)
    async with worker_database.work() as work:
        await customers.SERVED.apply(work, [customer.now("active", clock.now())])
        async with work.item(old) as tx:
            await a_programme(tx)
            owned, trial = await a_paid_one(tx, customer.id), await a_trial(tx, customer_id=customer.id)
    customer.partner_id = new
    moved = customer.now("active", clock.now())

    async def rehome() -> None:
        async with worker_database.work() as work:
            await customers.SERVED.apply(work, [moved])
            async with work.item(new, cause=moved.envelope) as tx:
                await rehoming.follow(tx, moved)
                await rehoming.follow(tx, moved)
                assert {one.envelope.partner_id for one in tx.told} == {new}

    async def unlink() -> None:
        async with worker_database.work() as work, work.item(old) as tx:
            said = CustomerUnlinked(unlinked_by=None, partner_owned_licences="now", policy_version="1")
            await unlinking.follow(tx, event(tx, said, customer.id))
            (fact,) = [one for one in tx.told if isinstance(one.record, SubscriptionCancelled)]
            assert fact.envelope.partner_id == old

    for step in (rehome, unlink) if rehomed_first else (unlink, rehome):
        await step()

    async with worker_database.work() as work, work.item(new) as tx:
        mine = {one.id: one for one in await tx.session.scalars(select(Subscription).where(Subscription.partner_id == new))}
        assert {key: (one.status, one.version) for key, one in mine.items()} == {owned.id: ("cancelled", 3), trial.id: ("trial", 2)}
        planned = await tx.session.scalars(select(DueRow.subject).where(DueRow.partner_id == new))
        assert set(planned) == {trial.id}
        assert (await tx.session.scalars(select(BillingLine.partner_id).where(BillingLine.subscription_id == owned.id))).one() == new
        assert list(await tx.session.scalars(select(Subscription).where(Subscription.partner_id == old))) == []


async def test_an_older_word_of_the_customer_brings_nothing_back(worker_database: WorkerDatabase, clock: FixedClock) -> None:
    old, new = new_id(), new_id()
    customer = CustomerTold(partner_id=old)
    before = customer.now("active", clock.now())
    customer.partner_id = new
    after = customer.now("active", clock.now())
    async with worker_database.work() as work:
        await customers.SERVED.apply(work, [after])
        async with work.item(new) as tx:
            await a_trial(tx, customer_id=customer.id)
        async with work.item(old, cause=before.envelope) as tx:
            await rehoming.follow(tx, before)
            assert tx.told == []


async def purged(worker_database: WorkerDatabase, partner_id: UUID, customer_id: UUID, *user_ids: UUID) -> None:
    async with worker_database.work() as work, work.item(partner_id) as tx:
        await erasing.ERASING.step().handle(tx, event(tx, CustomerPurged(user_ids=list(user_ids)), customer_id))


async def test_a_purged_customers_subscriptions_end_in_their_topic_and_stay_ended(
    worker_database: WorkerDatabase, clock: FixedClock, desk: Desk
) -> None:
    """Rated lines stay, for they are the books; nothing else of it is shown, and a retelling tells the ending again."""
    partner_id = desk.principal.partner_id
    customer = CustomerTold(partner_id=partner_id, id=new_id())
    async with worker_database.work() as work:
        await customers.SERVED.apply(work, [customer.now("active", clock.now())])
        async with work.item(partner_id) as tx:
            await a_programme(tx)
            owned = await a_paid_one(tx, customer.id)
            owned.status = "cancelled"
            row = {"id": new_id(), "customer_id": customer.id, "item": 1, "offer": "sep", "kind": "paid", "decided_at": tx.now}
            tx.session.add(Provisioning(partner_id=partner_id, outcome="given", subscription_id=owned.id, quantity=5, **row))
    await desk.knows(customer.id)
    worker = DueWorker(DUE, worker_database, clock)

    await purged(worker_database, partner_id, customer.id)
    assert await worker.work_one()
    assert await told_of(worker_database, CustomerErased.topic) == [], "its own ending has not been seen yet"
    async with worker_database.work() as work:
        for table in (served_customers.delete(), delete_access()):
            await work.session.execute(table, execution_options={"across_partners": "a test"})
    clock.move(timedelta(seconds=2))
    assert await worker.work_one()

    (payload,) = await told_of(worker_database, CustomerErased.topic)
    answer = CustomerErased.read(payload or b"")
    assert answer.service == "licensing"
    assert (answer.counts["subscriptions"], answer.counts["provisionings"]) == (1, 1)
    assert (await told_of(worker_database, SubscriptionChanged.topic))[-1] is None
    assert (await desk.get("/v1/subscriptions")).json()["items"] == []
    assert (await desk.get(f"/v1/subscriptions/{owned.id}")).status_code == 404
    assert len((await desk.get("/v1/lines")).json()["items"]) == 1
    again = next(one for one in RETELLINGS if one.aggregate == "subscription")
    async with worker_database.direct() as connection:
        await connection.execute("delete from outbox")
    await retell(worker_database, again)
    assert await told_of(worker_database, SubscriptionChanged.topic) == [None]


def delete_access() -> Any:

    return delete(tables.customers)


async def told_of(worker_database: WorkerDatabase, topic: str) -> list[bytes | None]:
    async with worker_database.direct() as connection:
        return [row["payload"] for row in await connection.fetch("select payload from outbox where topic = $1 order by id", topic)]
