"""Jobs run in somebody's name here too, where rights are kept and not followed: who is disabled stops at once (BEY-13)."""

import pytest
from sqlalchemy import text

from chassis import jobs
from chassis.access import Permission
from chassis.clock import SystemClock
from chassis.database import ApiDatabase, Transaction, WorkerDatabase
from chassis.due import DueWorker
from chassis.jobs import Item, JobKind, running
from chassis.jobs.running import due_work
from chassis.principal import Principal
from customers_testing.http import Web, a_body


async def tag(tx: Transaction, item: Item) -> None:
    where = {"partner": tx.partner_id, "id": item.id}
    await tx.session.execute(text("update customers set tags = '{vip}' where partner_id = :partner and id = :id"), where)


TAG = JobKind(name="customers.tag", perform=tag, permission=Permission.CUSTOMERS_ADD, customers=True)


@pytest.mark.parametrize(("revoked", "outcome"), [(False, ("done", 1, 1)), (True, ("cancelled", 0, 0))])
async def test_a_job_over_customers_asks_the_tables_themselves_who_may(
    web: Web, monkeypatch: pytest.MonkeyPatch, *, revoked: bool, outcome: tuple[str, int, int]
) -> None:
    monkeypatch.setattr(running, "LONGEST_LAG", 3600.0)  # nobody relays here
    partner = await web.a_partner()
    mine = (await partner.post("/v1/customers", a_body())).json()["id"]
    stranger = await web.a_partner("Berg IT", "berg.example")
    theirs = (await stranger.post("/v1/customers", a_body("Other GmbH", "other.example"))).json()["id"]
    me = (await partner.get("/v1/me")).json()
    principal = Principal(kind="partner", user_id=me["user"]["id"], partner_id=me["partner"]["id"], gen=1)
    clock = SystemClock()
    api, worker = ApiDatabase(web.database, clock), WorkerDatabase(web.database, clock)
    async with api.change(principal) as tx:
        await jobs.start(tx, TAG, [mine, theirs])
    async with worker.work() as work:
        if revoked:
            await work.session.execute(text("update users set status = 'disabled' where id = :id"), {"id": principal.user_id})

    assert await DueWorker(due_work([TAG]), worker, clock).work_one()

    async with worker.work() as work:
        job = (await work.session.execute(text("select status, succeeded, failed from jobs"))).one()
        assert tuple(job) == outcome
        tagged = list(await work.session.scalars(text("select id::text from customers where tags = '{vip}'")))
        assert tagged == ([] if revoked else [mine])
    await api.close()
    await worker.close()
