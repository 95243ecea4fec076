"""Policy settings go to customers' products, which answer; what was applied stands in what the product is set to (CUS-66)."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from chassis.database import Transaction, WorkerDatabase
from chassis.due import DueItem, DueRow, DueWorker
from chassis.http.lists import Wanted
from chassis.ids import new_id
from chassis_testing.clock import FixedClock
from chassis_testing.database import as_stranger, reading
from contracts.licensing.product_settings import PolicyDeploymentFinished, PolicyDeploymentRequested
from licensing.due import DUE
from licensing.errors import CustomerNotServed
from licensing.errors.product_settings import NotOffered, NotSupported, ProductNotHeld
from licensing.product_settings import acknowledging, deploying
from licensing.product_settings.deploying import PATIENCE, DeployPolicy
from licensing.rules import deployments
from licensing.tables.product_settings import PolicyDeployment, ProductSettings
from licensing_testing.builders import a_customer, a_holder, a_product, a_template, acknowledged

POLICY = {"device_control": {"usb": "blocked"}}


def sending(customer_id: UUID, settings: dict[str, Any] | None = None) -> DeployPolicy:
    return DeployPolicy(customer_id=customer_id, product="worry-free", settings=settings or POLICY, job_id=new_id())


async def settings_of(tx: Transaction, customer_id: UUID) -> ProductSettings:
    return (await tx.session.scalars(select(ProductSettings).where(ProductSettings.customer_id == customer_id))).one()


async def answered(tx: Transaction, deployment: PolicyDeployment, **said: Any) -> None:
    await acknowledging.note(tx, acknowledged(deployment, tx.now, **said))


async def test_a_policy_that_a_product_took_over_stands_in_its_settings_section_by_section(tx: Transaction) -> None:
    """CUS-66: requested, answered, finished, each told once; the first answer counts."""
    await a_product(tx)
    await a_template(tx, settings={"antivirus": {"scan": "daily"}, "device_control": {"usb": "open", "cd": "open"}}, is_default=True)
    customer_id = await a_holder(tx)
    tx.told.clear()

    deployment = await deploying.deploy(tx, sending(customer_id))
    before = dict((await settings_of(tx, customer_id)).settings)
    await answered(tx, deployment)
    await answered(tx, deployment, outcome="failed", detail="too late")

    assert before["device_control"] == {"usb": "open", "cd": "open"}
    settings = await settings_of(tx, customer_id)
    assert (settings.settings, settings.version) == ({"antivirus": {"scan": "daily"}, **POLICY}, 2)
    requested, finished = tx.told
    assert requested.record == PolicyDeploymentRequested(product="worry-free", settings=POLICY)
    assert finished.record == PolicyDeploymentFinished(product="worry-free", outcome="applied")
    assert [(one.about.id, one.about.version, one.about.customer_id) for one in tx.told] == [
        (deployment.id, version, customer_id) for version in (1, 2)
    ]
    assert (
        await tx.session.scalars(select(DueRow.id).where(DueRow.partner_id == tx.partner_id, DueRow.subject == deployment.id))
    ).all() == []


async def test_a_policy_that_failed_changes_nothing_and_says_why(tx: Transaction) -> None:
    """CUS-66: with outcome."""
    await a_product(tx, defaults={"device_control": {}})
    customer_id = await a_holder(tx)
    deployment = await deploying.deploy(tx, sending(customer_id))

    await answered(tx, deployment, outcome="failed", detail="The console is locked.")

    assert (deployment.status, deployment.detail) == ("failed", "The console is locked.")
    assert (await settings_of(tx, customer_id)).settings == {"device_control": {}}
    assert tx.told[-1].record == PolicyDeploymentFinished(product="worry-free", outcome="failed")


async def test_an_answer_for_another_customer_or_product_ends_nothing(tx: Transaction) -> None:
    await a_product(tx)
    deployment = await deploying.deploy(tx, sending(await a_holder(tx)))

    for wrong in ({"customer_id": new_id()}, {"product": "cloud-edge"}, {"deployment_id": new_id()}):
        await answered(tx, deployment, **wrong)

    assert deployment.status == "requested"


async def test_a_newer_policy_takes_the_place_of_one_that_is_still_on_its_way(tx: Transaction) -> None:
    """CUS-66: one at a time, and what is answered of the older one changes nothing."""
    await a_product(tx)
    customer_id = await a_holder(tx)
    older = await deploying.deploy(tx, sending(customer_id))

    newer = await deploying.deploy(tx, sending(customer_id, {"web": "open"}))
    await answered(tx, older)
    await answered(tx, newer)

    assert (older.status, newer.status) == ("superseded", "applied")
    assert (await settings_of(tx, customer_id)).settings == {"web": "open"}
    assert tx.facts_told == [
        *(PolicyDeploymentRequested, PolicyDeploymentFinished),
        *(PolicyDeploymentRequested, PolicyDeploymentFinished),
    ]


async def test_what_no_product_answers_for_a_week_is_given_up(worker_database: WorkerDatabase, clock: FixedClock) -> None:
    partner_id = new_id()
    async with worker_database.work() as work, work.item(partner_id) as tx:
        await a_product(tx)
        deployment = await deploying.deploy(tx, sending(await a_holder(tx)))
    worker = DueWorker(DUE, worker_database, clock)

    clock.move(PATIENCE - timedelta(minutes=1))
    while await worker.work_one():
        pass
    async with worker_database.direct() as connection:
        assert await connection.fetchval("select status from policy_deployments") == "requested"
    clock.move(timedelta(minutes=2))
    while await worker.work_one():
        pass

    async with worker_database.direct() as connection:
        assert await connection.fetchval("select status from policy_deployments where id = $1", deployment.id) == "unanswered"
        told = await connection.fetch("select payload from outbox where topic = 'policy.deployment_finished'")
    assert [PolicyDeploymentFinished.read(one["payload"]).outcome for one in told] == ["unanswered"]


async def test_what_was_answered_in_time_is_not_given_up(tx: Transaction) -> None:
    await a_product(tx)
    deployment = await deploying.deploy(tx, sending(await a_holder(tx)))
    await answered(tx, deployment)
    item = DueItem(id=new_id(), subject=deployment.id, slot="answer", due_at=tx.now, attempts=0, payload={})

    await deploying.give_up(tx, item)

    assert deployment.status == "applied"
    assert deployments.UNANSWERED in {one.kind for one in DUE}


@pytest.mark.parametrize(
    ("given", "refused", "rule"),
    [
        ({"status": "disabled"}, CustomerNotServed, "CUS-66"),
        ({"account_type": "licensing_portal"}, NotOffered, "CUS-64"),
        ({"management_type": "customer_managed"}, NotOffered, "CUS-51"),
        ({}, ProductNotHeld, "CUS-66"),
    ],
)
async def test_a_policy_is_sent_only_where_that_is_offered(tx: Transaction, given: dict[str, Any], refused: type[Any], rule: str) -> None:
    """CUS-66, CUS-64, CUS-51."""
    await a_product(tx)

    with pytest.raises(refused) as problem:
        await deploying.deploy(tx, sending(await a_customer(tx, **given)))

    assert (problem.value.rule, tx.told) == (rule, [])


async def test_a_product_without_policies_is_sent_none(tx: Transaction) -> None:
    """CUS-66: only products that support it."""
    await a_product(tx, policies=False)

    with pytest.raises(NotSupported) as problem:
        await deploying.deploy(tx, sending(await a_holder(tx)))

    assert (problem.value.code, problem.value.rule) == ("settings_not_supported", "CUS-66")


async def test_another_partners_deployments_do_not_exist(tx: Transaction) -> None:
    await a_product(tx)
    await deploying.deploy(tx, sending(await a_holder(tx)))

    async with as_stranger(tx) as stranger:
        assert (await deploying.page(await reading(stranger), Wanted())).items == []
