"""What is done with one customer is done with many: tried first, each once, and nobody else's (CUS-68, BEY-13, MKT-01)."""

from typing import Any
from uuid import UUID

import pytest

from chassis.database import WorkerDatabase
from chassis.due import DueWorker
from chassis.ids import new_id
from chassis.jobs import running
from chassis.jobs.running import due_work
from chassis_testing.clock import FixedClock
from customers.bulk.deeds import KINDS
from customers_testing.http import Web, a_body, as_owner

MANY = """insert into customers select (jsonb_populate_record(c, jsonb_build_object(
              'id', gen_random_uuid(), 'company_key', n, 'name_key', n::text,
              'contact', c.contact || jsonb_build_object('email', n || '@many.example')))).*
          from customers c, generate_series(1, $1::int) n where c.name = 'Model GmbH'"""


@pytest.fixture(autouse=True)
def nobody_relays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "LONGEST_LAG", 3600.0)
    monkeypatch.setattr(running, "LONGEST_CHUNK", 60.0)


async def some(partner: Web, *names: str, **more: Any) -> list[str]:
    made = [await partner.post("/v1/customers", a_body(name, f"{new_id().hex}.example", **more)) for name in names]
    return [one.json()["id"] for one in made]


async def work_off(worker: WorkerDatabase, clock: FixedClock, *, chunks: int = 100) -> None:
    """As a worker process does, which may end after any chunk."""
    due = DueWorker(due_work(KINDS), worker, clock)
    for _ in range(chunks):
        if not await due.work_one():
            return


async def outcomes(partner: Web, where: str) -> dict[str, str]:
    items = (await partner.get(f"{where}/items", limit=200)).json()["items"]
    return {one["id"]: one["problem"]["code"] if one["problem"] else one["status"] for one in items}


async def tags(partner: Web) -> dict[str, list[str]]:
    return {one["id"]: one["tags"] for one in (await partner.get("/v1/customers")).json()["items"]}


async def test_bulk_work_gives_nobody_more_tags_than_there_may_be(web: Web, worker_database: WorkerDatabase, clock: FixedClock) -> None:
    """MKT-01: who would have too many keeps those it has, and the others get theirs."""
    partner = await web.a_partner()
    (full,) = await some(partner, "Alpha GmbH", tags=[f"tag {number}" for number in range(49)])
    (other,) = await some(partner, "Beta GmbH")

    asked = await partner.post("/v1/customer-bulk/tag", {"selection": {"ids": [full, other]}, "tags": ["gold", "vip"]})
    await work_off(worker_database, clock)

    assert [len(one) for one in ((await tags(partner))[full], (await tags(partner))[other])] == [49, 2]
    assert await outcomes(partner, asked.headers["location"]) == {full: "too_many_tags", other: "done"}


async def test_selected_customers_are_tagged_and_a_foreign_one_is_not_found_for_itself_alone(
    web: Web, worker_database: WorkerDatabase, clock: FixedClock
) -> None:
    partner, stranger = await web.a_partner(), await web.a_partner("Berg IT", "berg.example")
    first, second, other = await some(partner, "Alpha GmbH", "Beta GmbH", "Gamma GmbH", tags=["gold"])
    (theirs,) = await some(stranger, "Delta GmbH", tags=["gold"])
    body = {"selection": {"ids": [first, theirs, second, first]}, "tags": ["vip", "gold"]}

    asked = await partner.post("/v1/customer-bulk/tag", body, idempotency_key="bulk-1")
    again = await partner.post("/v1/customer-bulk/tag", body, idempotency_key="bulk-1")
    await work_off(worker_database, clock)

    assert (asked.status_code, asked.json()["total"], again.json()["id"]) == (202, 3, asked.json()["id"])
    assert await outcomes(partner, asked.headers["location"]) == {first: "done", theirs: "customer_not_found", second: "done"}
    assert await tags(partner) == {first: ["gold", "vip"], second: ["gold", "vip"], other: ["gold"]}
    assert await tags(stranger) == {theirs: ["gold"]}
    untagged = await partner.post("/v1/customer-bulk/untag", {"selection": {"ids": [second, other]}, "tags": ["gold"]})
    await work_off(worker_database, clock)
    assert untagged.status_code == 202
    assert await tags(partner) == {first: ["gold", "vip"], second: ["vip"], other: []}


async def test_filters_mean_what_was_seen_or_nothing_begins(web: Web, worker_database: WorkerDatabase, clock: FixedClock) -> None:
    """A tag selects; whom the sender's roles hide is neither counted nor touched."""
    partner = await web.a_partner()
    seen, hidden = await some(partner, "Alpha GmbH", "Beta GmbH", tags=["gold"])
    await some(partner, "Gamma GmbH")
    bob = await web.a_colleague(partner)
    await as_owner(web, "update roles set customers = jsonb_build_object($1::text, 'none') where name = 'Administrator'", hidden)
    body = {"communications_mode": "partner_only", "selection": {"filter": {"tag": ["gold"]}, "expected": 2}}

    refused = await bob.post("/v1/customer-bulk/communications", body)
    asked = await bob.post("/v1/customer-bulk/communications", body | {"selection": {"filter": {"tag": ["gold"]}, "expected": 1}})
    await work_off(worker_database, clock)

    assert (refused.status_code, refused.json()["code"], refused.json()["customers"]) == (409, "selection_changed", 1)
    assert await outcomes(bob, asked.headers["location"]) == {seen: "done"}
    modes = {one["id"]: one["communications_mode"] for one in (await partner.get("/v1/customers", tag="gold")).json()["items"]}
    assert modes == {seen: "partner_only", hidden: "both"}
    assert await as_owner(web, "select count(*) from jobs") == 1


async def test_a_dry_run_says_of_each_customer_what_would_become_of_it(
    web: Web, worker_database: WorkerDatabase, clock: FixedClock
) -> None:
    """BEY-13: no confirmation is needed to look."""
    partner = await web.a_partner()
    resting, active = await some(partner, "Alpha GmbH", "Beta GmbH")
    await as_owner(web, "update customers set status = 'disabled' where id = $1", UUID(resting))
    count = "select count(*) from outbox where topic <> 'job.finished' and topic <> 'audit.recorded'"
    told = await as_owner(web, count)

    for verb, refused in (("disable", "customer_not_active"), ("delete", "done"), ("unlink", "done")):
        asked = await partner.post(f"/v1/customer-bulk/{verb}", {"selection": {"ids": [resting, active]}, "dry_run": True})
        await work_off(worker_database, clock)
        assert await outcomes(partner, asked.headers["location"]) == {resting: refused, active: "done"}

    statuses = {one["id"]: one["status"] for one in (await partner.get("/v1/customers")).json()["items"]}
    assert statuses == {resting: "disabled", active: "active"}
    assert await as_owner(web, count) == told


@pytest.mark.parametrize(("verb", "status"), [("disable", "disabled"), ("delete", "deleting")])
async def test_what_takes_something_from_customers_is_confirmed_before(
    web: Web, worker_database: WorkerDatabase, clock: FixedClock, verb: str, status: str
) -> None:
    partner = await web.a_partner()
    chosen = await some(partner, "Alpha GmbH", "Beta GmbH")
    body: dict[str, Any] = {"selection": {"ids": chosen}}

    first = await partner.post(f"/v1/customer-bulk/{verb}", body)
    other = await partner.post(
        f"/v1/customer-bulk/{verb}", {"selection": {"ids": chosen[:1]}, "confirmation": first.json()["confirmation"]}
    )
    asked = await partner.post(f"/v1/customer-bulk/{verb}", body | {"confirmation": first.json()["confirmation"]})
    await work_off(worker_database, clock)

    assert (first.status_code, first.json()["code"]) == (428, "confirmation_needed")
    assert first.json()["consequences"][0]["detail"].startswith("2 customers are")
    assert (other.status_code, other.json()["code"]) == (412, "confirmation_outdated")
    assert await outcomes(partner, asked.headers["location"]) == dict.fromkeys(chosen, "done")
    assert {one["status"] for one in (await partner.get("/v1/customers", status=status)).json()["items"]} == {status}
    if verb == "disable":
        enabled = await partner.post("/v1/customer-bulk/enable", body)
        await work_off(worker_database, clock)
        assert await outcomes(partner, enabled.headers["location"]) == dict.fromkeys(chosen, "done")


@pytest.mark.parametrize("verb", ["disable", "unlink", "delete"])
async def test_a_customer_that_joined_the_filter_meanwhile_is_not_among_those_that_were_confirmed(
    web: Web, worker_database: WorkerDatabase, clock: FixedClock, verb: str
) -> None:
    """GW-14, BEY-13: what was confirmed is what is done, and its number alone does not say that."""
    partner = await web.a_partner()
    left, stays = await some(partner, "Alpha GmbH", "Beta GmbH", tags=["gold"])
    body: dict[str, Any] = {"selection": {"filter": {"tag": ["gold"]}, "expected": 2}}
    first = await partner.post(f"/v1/customer-bulk/{verb}", body)
    (joined,) = await some(partner, "Gamma GmbH", tags=["gold"])
    more = await partner.post(
        f"/v1/customer-bulk/{verb}",
        {"selection": {"filter": {"tag": ["gold"]}, "expected": 3}, "confirmation": first.json()["confirmation"]},
    )
    await as_owner(web, "update customers set tags = '{}' where id = $1", UUID(left))

    refused = await partner.post(f"/v1/customer-bulk/{verb}", body | {"confirmation": first.json()["confirmation"]})
    await work_off(worker_database, clock)
    untouched = await as_owner(web, "select count(*) from customers where status = 'active'")
    asked = await partner.post(f"/v1/customer-bulk/{verb}", body | {"confirmation": refused.json()["confirmation"]})
    await work_off(worker_database, clock)

    assert (more.status_code, more.json()["code"]) == (412, "confirmation_outdated")
    assert (refused.status_code, refused.json()["code"], untouched) == (412, "confirmation_outdated", 3)
    assert await outcomes(partner, asked.headers["location"]) == {stays: "done", joined: "done"}


async def test_a_confirmation_is_of_the_same_customers_in_whatever_order_they_are_sent(web: Web) -> None:
    """GW-14."""
    partner = await web.a_partner()
    chosen = await some(partner, "Alpha GmbH", "Beta GmbH")
    confirmation = (await partner.post("/v1/customer-bulk/delete", {"selection": {"ids": chosen}})).json()["confirmation"]

    asked = await partner.post("/v1/customer-bulk/delete", {"selection": {"filter": {}, "expected": 2}, "confirmation": confirmation})
    again = await partner.post("/v1/customer-bulk/delete", {"selection": {"ids": chosen[::-1]}, "confirmation": confirmation})

    assert asked.status_code == again.status_code == 202


async def test_unlinked_customers_are_the_root_partys_and_the_partner_sees_them_no_more(
    web: Web, worker_database: WorkerDatabase, clock: FixedClock
) -> None:
    partner = await web.a_partner()
    chosen = await some(partner, "Alpha GmbH", "Beta GmbH")
    body: dict[str, Any] = {"selection": {"filter": {}, "expected": 2}}
    confirmation = (await partner.post("/v1/customer-bulk/unlink", body)).json()["confirmation"]

    asked = await partner.post("/v1/customer-bulk/unlink", body | {"confirmation": confirmation})
    await work_off(worker_database, clock)

    assert (await partner.get(asked.headers["location"])).json()["succeeded"] == len(chosen)
    assert (await partner.get("/v1/customers")).json()["items"] == []


async def test_many_at_once_are_meant_only_where_their_number_is_repeated(web: Web) -> None:
    """BEY-13: the blast radius is a policy's."""
    partner = await web.a_partner()
    await some(partner, "Model GmbH")
    await as_owner(web, MANY, 39)
    body: dict[str, Any] = {"selection": {"filter": {}, "expected": 40}, "tags": ["vip"]}

    refused = await partner.post("/v1/customer-bulk/tag", body)
    wrong = await partner.post("/v1/customer-bulk/tag", body | {"customers": 39})
    meant = await partner.post("/v1/customer-bulk/tag", body | {"customers": 40})
    tried = await partner.post("/v1/customer-bulk/tag", body | {"dry_run": True})

    assert refused.status_code == wrong.status_code == 409
    limits = {"code": "too_far_reaching", "customers": 40, "of_customers": 40, "most": 500, "most_per_cent": 25, "policy_version": "1"}
    assert refused.json() | limits == refused.json()
    assert meant.status_code == tried.status_code == 202


async def test_whatever_ends_a_worker_each_customer_is_done_once(web: Web, worker_database: WorkerDatabase, clock: FixedClock) -> None:
    """BEY-13: the next worker goes on where the last has committed."""
    partner = await web.a_partner()
    await some(partner, "Model GmbH")
    await as_owner(web, MANY, 449)
    body = {"selection": {"filter": {}, "expected": 450}, "tags": ["vip"], "customers": 450}
    where = (await partner.post("/v1/customer-bulk/tag", body)).headers["location"]

    await work_off(worker_database, clock, chunks=1)
    assert (await partner.get(where)).json()["succeeded"] == 200
    await work_off(worker_database, clock)

    assert (await partner.get(where)).json() | {"status": "done", "succeeded": 450, "failed": 0} == (await partner.get(where)).json()
    assert await as_owner(web, "select count(*) from customers where version = 2 and tags = '{vip}'") == 450
    assert await as_owner(web, "select count(*) from outbox where topic = 'customer.tagged'") == 450
    assert await as_owner(web, "select count(*) from outbox where topic = 'customer.tagged' and lane = 2") == 450


async def test_who_may_not_remove_one_customer_may_not_remove_many(web: Web) -> None:
    partner = await web.a_partner()
    chosen = await some(partner, "Alpha GmbH")
    await as_owner(web, "update roles set permissions = array_remove(permissions, 'customers.remove')")

    for verb in ("disable", "enable", "unlink", "delete"):
        refused = await partner.post(f"/v1/customer-bulk/{verb}", {"selection": {"ids": chosen}})
        assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
    assert (await partner.post("/v1/customer-bulk/tag", {"selection": {"ids": []}, "tags": ["x"]})).status_code == 422
    assert (await partner.post("/v1/customer-bulk/tag", {"selection": {"filter": {}}, "tags": ["x"]})).status_code == 422
