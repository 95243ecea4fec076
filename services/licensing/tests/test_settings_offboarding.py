"""What a customer's products are set to goes with it to another partner, and is forgotten with it (C-2, MKT-02)."""

from uuid import UUID

from sqlalchemy import select

from chassis.consumers.events import Event, Place
from chassis.database import Transaction, WorkerDatabase
from chassis.due import DueWorker
from chassis.ids import new_id
from chassis_testing import told
from chassis_testing.clock import FixedClock
from contracts.any.erasing import CustomerErased
from contracts.customers.offboarding import CustomerPurged
from contracts.licensing.product_settings import PolicyDeploymentFinished
from licensing import customers
from licensing.due import DUE
from licensing.offboarding import erasing, rehoming
from licensing.product_settings import acknowledging, deploying, firmware
from licensing.product_settings.deploying import DeployPolicy
from licensing.product_settings.firmware import RequestUpdate
from licensing.tables.customers import served_customers
from licensing.tables.product_settings import PolicyDeployment, ProductSettings
from licensing_testing.builders import ApplianceTold, CustomerTold, a_holder, a_product, a_template, acknowledged


async def set_up_products(tx: Transaction, customer_id: UUID) -> UUID:
    """A product that is set by a template, a policy on its way to it, and an appliance whose update was asked for: the policy's id."""
    await a_product(tx, "cloud-edge")
    await a_template(tx, product="cloud-edge", settings={"scan": "daily"}, is_default=True)
    await a_holder(tx, product="cloud-edge", customer_id=customer_id)
    appliance = ApplianceTold(partner_id=tx.partner_id, customer_id=customer_id)
    await firmware.follow(tx, appliance.now(tx.now, firmware_update_required=True))
    await firmware.request(tx, RequestUpdate(customer_id=customer_id, product="cloud-edge", job_id=new_id()))
    policy = DeployPolicy(customer_id=customer_id, product="cloud-edge", settings={"usb": "blocked"}, job_id=new_id())
    return (await deploying.deploy(tx, policy)).id


SETTINGS = ("product_settings", "policy_deployments", "appliances", "firmware_updates")


async def test_nothing_of_a_purged_customers_product_settings_remains(worker_database: WorkerDatabase, clock: FixedClock) -> None:
    """CUS-65 to CUS-67: nor the work that waits for an answer, and what is reported later brings nothing back."""
    partner_id, customer_id = new_id(), new_id()
    async with worker_database.work() as work, work.item(partner_id) as tx:
        deployment_id = await set_up_products(tx, customer_id)
    async with worker_database.work() as work, work.item(partner_id) as tx:
        record = CustomerPurged(user_ids=[])
        said = told.an_envelope(record, subject=customer_id, partner_id=partner_id, customer_id=customer_id, version=7, at=tx.now)
        await erasing.ERASING.step().handle(tx, Event(envelope=said, record=record, place=Place(topic="x", partition=0, offset=0)))
        await tx.session.execute(served_customers.delete(), execution_options={"across_partners": "a test"})
    worker = DueWorker(DUE, worker_database, clock)
    assert await worker.work_one()

    async with worker_database.work() as work:
        late = ApplianceTold(partner_id=partner_id, customer_id=customer_id)
        await firmware.APPLIANCES.apply(work, [late.now(clock.now(), firmware_update_required=True)])
    async with worker_database.direct() as connection:
        for table in SETTINGS:
            count = f"select count(*) from {table}"  # noqa: S608 (our own table)
            assert await connection.fetchval(count) == 0, table
        assert await connection.fetchval("select count(*) from due where subject = $1", deployment_id) == 0
        answer = await connection.fetchval("select payload from outbox where topic = $1", CustomerErased.topic)
    counts = CustomerErased.read(answer or b"").counts
    assert {table: counts[table] for table in SETTINGS} == dict.fromkeys(SETTINGS, 1)


async def test_a_customers_products_stay_as_they_are_set_when_it_moves(worker_database: WorkerDatabase, clock: FixedClock) -> None:
    """MKT-02: what is on its way arrives at the new partner; by which template of the former partner it was set is forgotten."""
    old, new = new_id(), new_id()
    customer = CustomerTold(partner_id=old)
    async with worker_database.work() as work, work.item(old) as tx:
        deployment_id = await set_up_products(tx, customer.id)
    customer.partner_id, customer.version = new, 1
    moved = customer.now("active", clock.now())
    async with worker_database.work() as work:
        await customers.SERVED.apply(work, [moved])
        async with work.item(new, cause=moved.envelope) as tx:
            await rehoming.follow(tx, moved)

    async with worker_database.direct() as connection:
        for table in SETTINGS:
            whose = f"select partner_id from {table}"  # noqa: S608 (our own table)
            assert await connection.fetchval(whose) == new, table
        assert await connection.fetchval("select partner_id from due where subject = $1", deployment_id) == new
    async with worker_database.work() as work:
        deployment = await work.session.get_one(PolicyDeployment, (new, deployment_id))
        answer = acknowledged(deployment, clock.now(), partner_id=old)
        await acknowledging.ANSWERS.apply(work, [answer])
        told_last = work._told[-1]
        assert told_last.record == PolicyDeploymentFinished(product="cloud-edge", outcome="applied")
        assert told_last.envelope.partner_id == new
    async with worker_database.work() as work, work.item(new) as tx:
        (settings,) = await tx.session.scalars(select(ProductSettings).where(ProductSettings.partner_id == new))
        assert (settings.settings, settings.template_id, settings.template_name) == ({"scan": "daily", "usb": "blocked"}, None, None)
