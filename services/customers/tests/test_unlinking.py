"""An unlinked customer lives on under the root party; its partner was told what is lost, and sees it no more (CUS-60, CUS-61)."""

from uuid import UUID

import pytest

from chassis.database import WorkerDatabase
from chassis.due import DueWorker
from chassis.ids import new_id
from chassis.jobs.running import due_work
from chassis_testing.clock import FixedClock
from contracts.customers.offboarding import CustomerUnlinked
from contracts.root import ROOT_PARTNER_ID
from customers.offboarding.unlinking import UNLINK
from customers.tables.known import KnownSubscription
from customers_testing.http import OPERATOR, Web, a_body, as_owner


async def has(worker: WorkerDatabase, customer: dict[str, str], product: str, *, partner_owned: bool) -> None:
    async with worker.work() as work, work.item(UUID(customer["partner_id"])) as tx:
        row = {"customer_id": UUID(customer["id"]), "product": product, "status": "active", "partner_owned": partner_owned}
        tx.session.add(KnownSubscription(partner_id=tx.partner_id, id=new_id(), version=1, **row))


async def work_off(worker: WorkerDatabase, clock: FixedClock) -> None:
    """Bulk work waits for what is unsent, so that is sent first."""
    async with worker.direct() as connection:
        await connection.execute("delete from outbox")
    due = DueWorker(due_work([UNLINK]), worker, clock)
    while await due.work_one():
        pass


async def test_it_says_which_licences_are_lost_and_then_the_partner_sees_nothing_any_more(
    web: Web, worker_database: WorkerDatabase, clock: FixedClock
) -> None:
    """CUS-61, rule 9."""
    partner, operator = await web.a_partner(), await web.sign_in(OPERATOR)
    customer = (await partner.post("/v1/customers", a_body(tags=["gold"]))).json()
    path = f"/v1/customers/{customer['id']}"
    await has(worker_database, customer, "Endpoint Security", partner_owned=True)
    await has(worker_database, customer, "Mail Security", partner_owned=False)

    warned = (await partner.post(f"{path}/unlink/preview")).json()["consequences"]
    asked = await partner.confirmed(f"{path}/unlink", if_match="*")
    await work_off(worker_database, clock)

    assert [one["code"] for one in warned] == ["not_yours_any_more", "tags_lost", "licence_lost"]
    assert warned[-1]["detail"].startswith("Endpoint Security is licensed under your programme and ends now; to use it on, the customer")
    assert asked.status_code == 202
    assert (await partner.get(asked.headers["location"])).json()["status"] == "done"
    assert (await partner.get(path)).json()["code"] == "customer_not_found"
    assert (await partner.get("/v1/customers")).json()["items"] == []
    now = (await operator.get(path)).json()
    assert (now["partner_id"], now["owner_partner_id"], now["status"]) == (str(ROOT_PARTNER_ID), customer["partner_id"], "active")
    assert now["tags"] == []
    async with worker_database.direct() as connection:
        row = await connection.fetchrow("select payload, headers::text as headers from outbox where topic = 'customer.unlinked'")
    assert row is not None
    told = CustomerUnlinked.read(row["payload"])
    assert (told.partner_owned_licences, told.policy_version) == ("now", "1")
    assert told.unlinked_by is not None
    assert f'["ce_partnerid","{customer["partner_id"]}"]' in row["headers"]
    assert (await as_owner(web, "select count(*) from audit where operation = 'customers.unlink' and subject_type = 'customer'")) == 1


async def test_what_is_played_with_stays_in_its_sandbox(web: Web) -> None:
    partner = await web.a_partner(sandbox=True)
    customer = (await partner.post("/v1/customers", a_body())).json()

    refused = await partner.confirmed(f"/v1/customers/{customer['id']}/unlink", if_match="*")

    assert (refused.status_code, refused.json()["code"]) == (409, "customer_stays")


@pytest.mark.parametrize("status", ["pending_review", "deleting", "deleted", "rejected"])
async def test_only_one_that_is_served_or_rests_is_unlinked(web: Web, status: str) -> None:
    partner = await web.a_partner()
    customer = (await partner.post("/v1/customers", a_body())).json()
    await as_owner(web, "update customers set status = $1", status)

    refused = await partner.confirmed(f"/v1/customers/{customer['id']}/unlink", if_match="*")

    assert refused.status_code == 409
    assert refused.json()["rule"] == "CUS-60"


async def test_one_that_was_deleted_meanwhile_is_not_unlinked(web: Web, worker_database: WorkerDatabase, clock: FixedClock) -> None:
    partner = await web.a_partner()
    customer = (await partner.post("/v1/customers", a_body())).json()
    asked = await partner.confirmed(f"/v1/customers/{customer['id']}/unlink", if_match="*")
    await as_owner(web, "update customers set status = 'deleting'")

    await work_off(worker_database, clock)

    job = (await partner.get(asked.headers["location"])).json()
    assert (job["succeeded"], job["failed"]) == (0, 1)
