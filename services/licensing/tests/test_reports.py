"""What products say wrongly is parked, and stops neither what others say rightly nor what customers are given (CUS-66, CUS-67)."""

from collections.abc import Sequence
from typing import Any

from chassis.consumers import Event
from chassis.consumers.batches import Batches
from chassis.consumers.events import Place
from chassis.consumers.parking import Raw
from chassis.database import Transaction, WorkerDatabase
from chassis.ids import new_id
from chassis_testing.clock import FixedClock
from contracts.envelope import encode
from licensing.consumers import CONSUMERS
from licensing.product_settings import deploying
from licensing.product_settings.deploying import DeployPolicy
from licensing.tables.product_settings import PolicyDeployment
from licensing_testing.builders import ApplianceTold, a_holder, a_product, acknowledged

A_FLOOD = 120
TELEMETRY = next(one for one in CONSUMERS if one.group == "licensing.telemetry")


def as_they_come(events: Sequence[Event[Any]], *, unreadable: int) -> list[Raw]:
    """The records of a batch, the first of them with a body that nobody can read."""
    return [
        Raw(
            place=Place(topic=event.record.topic, partition=0, offset=offset),
            key=str(event.envelope.customer_id).encode(),
            headers=encode(event.envelope),
            payload=b'{"outcome": 1}' if offset < unreadable else event.record.payload(),
            timestamp_ms=0,
        )
        for offset, event in enumerate(events)
    ]


async def sent(database: WorkerDatabase) -> PolicyDeployment:
    async def build(tx: Transaction) -> PolicyDeployment:
        await a_product(tx)
        policy = DeployPolicy(customer_id=await a_holder(tx), product="worry-free", settings={"scan": "daily"}, job_id=new_id())
        return await deploying.deploy(tx, policy)

    async with database.work() as work, work.item(new_id()) as tx:
        return await build(tx)


async def test_a_flood_of_wrong_answers_is_parked_and_the_right_one_counts(worker_database: WorkerDatabase, clock: FixedClock) -> None:
    deployment = await sent(worker_database)
    answers = [acknowledged(deployment, clock.now()) for _ in range(A_FLOOD + 1)]

    await Batches(worker_database, TELEMETRY, prefix="").apply(as_they_come(answers, unreadable=A_FLOOD))

    async with worker_database.direct() as connection:
        assert await connection.fetchval("select count(*) from parked") == A_FLOOD
        assert await connection.fetchval("select status from policy_deployments") == "applied"


async def test_a_flood_of_wrong_reports_is_parked_and_the_right_one_is_kept(worker_database: WorkerDatabase, clock: FixedClock) -> None:
    deployment = await sent(worker_database)
    told = ApplianceTold(partner_id=new_id(), customer_id=deployment.customer_id)
    reports = [told.now(clock.now(), firmware_update_required=True) for _ in range(A_FLOOD + 1)]

    await Batches(worker_database, TELEMETRY, prefix="").apply(as_they_come(reports, unreadable=A_FLOOD))

    async with worker_database.direct() as connection:
        assert await connection.fetchval("select count(*) from parked") == A_FLOOD
        assert await connection.fetchval("select partner_id from appliances where update_required") == deployment.partner_id
