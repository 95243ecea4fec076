"""Of a purged customer nothing is left in the rails of a service, and everything of everybody else is (C-2)."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from chassis import due
from chassis.access import tables
from chassis.consumers import Event
from chassis.consumers.events import Place
from chassis.database import Transaction, WorkerDatabase
from chassis.due import DueWorker
from chassis.erasing import Erasing, Gone
from chassis.ids import new_id
from chassis_testing.clock import FixedClock
from chassis_testing.told import an_envelope
from contracts.any.erasing import CustomerErased
from contracts.customers.offboarding import CustomerPurged

RAILS = {
    "planned_work": "select count(*) from due",
    "parked_records": "select count(*) from parked",
    "unsent_records": "select count(*) from outbox where lane = 3",
    "stored_answers": "select count(*) from idempotency_keys",
    "audit_values": "select count(*) from audit_values",
}


async def _nothing_more(_tx: Transaction, _gone: Gone) -> Mapping[str, int]:
    return {"houses": 2}


ERASING = Erasing(service="licensing", follows=(tables.customers, tables.users), forget=_nothing_more)


async def leave_something_of(worker: WorkerDatabase, partner_id: UUID, customer_id: UUID) -> None:
    """One row in each rail, by which the customer is found there."""
    async with worker.work() as work, work.item(partner_id) as tx:
        await due.plan(tx, "house.painted", customer_id, slot="once", at=tx.now + timedelta(days=900))
    key, header = str(customer_id), f'[["ce_partitionkey", "{str(customer_id).encode().hex()}"]]'
    async with worker.direct() as connection:
        await connection.execute(
            'insert into parked (id, consumer, handler, topic, partition, "offset", digest, headers, standing, reason)'
            " values ($1, 'a', 'a', 'a', 0, 0, $2, $3::text::jsonb, 'parked', 'Ada')",
            *(new_id(), new_id().bytes, header),
        )
        await connection.execute(
            "insert into outbox (lane, entity, topic, key, partition_key, event_id, headers) values (3, $1, 'a', $2, $3, $1, '[]')",
            *(new_id(), key, customer_id),
        )
        await connection.execute(
            "insert into idempotency_keys (partner_id, user_id, key, fingerprint, status, headers, body)"
            " values ($1, $2, 'k', '', 201, '{}', $3)",
            *(partner_id, new_id(), f'{{"id": "{customer_id}", "name": "Ada"}}'.encode()),
        )
        await connection.execute(
            "with entry as (insert into audit (partner_id, id, at, user_id, user_kind, user_partner_id, operation, outcome, customer_id,"
            " facts, fields) values ($1, $2, now(), $2, 'partner', $1, 'a', 'done', $3, '{}', '{}') returning id)"
            """ insert into audit_values (partner_id, audit_id, salt, before, after) select $1, id, '', '{}', '["Ada"]' from entry""",
            *(partner_id, new_id(), customer_id),
        )


async def counts(worker: WorkerDatabase) -> dict[str, int]:
    async with worker.direct() as connection:
        return {name: await connection.fetchval(statement) for name, statement in RAILS.items()}


async def test_the_rails_forget_one_customer_and_no_other(worker_database: WorkerDatabase, clock: FixedClock) -> None:
    partner_id, gone, other = new_id(), new_id(), new_id()
    for customer_id in (gone, other):
        await leave_something_of(worker_database, partner_id, customer_id)
    purged = CustomerPurged(user_ids=[new_id()])
    said = an_envelope(purged, subject=gone, partner_id=partner_id, customer_id=gone, version=9, at=clock.now())

    async with worker_database.work() as work, work.item(partner_id, cause=said) as tx:
        await ERASING.step().handle(tx, Event(envelope=said, record=purged, place=Place(topic="a", partition=0, offset=0)))
    assert await DueWorker([ERASING.due()], worker_database, clock).work_one()

    assert await counts(worker_database) == dict.fromkeys(RAILS, 1)
    async with worker_database.direct() as connection:
        told = await connection.fetchrow("select payload, headers::text as headers from outbox where topic = 'customer.erased'")
    assert told is not None
    answer = CustomerErased.read(told["payload"])
    assert answer.counts == dict.fromkeys(RAILS, 1) | {"houses": 2, "job_outcomes": 0}
    assert '["ce_aggregateversion","9"]' in told["headers"]


async def test_it_waits_until_the_endings_have_been_seen(worker_database: WorkerDatabase, clock: FixedClock) -> None:
    partner_id, customer_id, user_id = new_id(), new_id(), new_id()
    purged = CustomerPurged(user_ids=[user_id])
    said = an_envelope(purged, subject=customer_id, partner_id=partner_id, customer_id=customer_id, version=9, at=clock.now())
    known = {"partner_id": partner_id, "id": user_id, "version": 1, "kind": "customer", "status": "active", "gen": 1}
    async with worker_database.work() as work:
        await work.session.execute(tables.users.insert().values(known | {"customer_id": customer_id, "role_ids": []}))
        async with work.item(partner_id, cause=said) as tx:
            await ERASING.step().handle(tx, Event(envelope=said, record=purged, place=Place(topic="a", partition=0, offset=0)))
    worker = DueWorker([ERASING.due()], worker_database, clock)

    assert await worker.work_one()
    async with worker_database.direct() as connection:
        assert await connection.fetchval("select last_error from due") == "access_users has not seen the ending yet"
        await connection.execute("delete from access_users")
    clock.move(timedelta(seconds=2))
    assert await worker.work_one()

    async with worker_database.direct() as connection:
        assert await connection.fetchval("select count(*) from outbox where topic = 'customer.erased'") == 1
