"""Products of many customers are set at once: tried first, confirmed, each once, and nobody else's (CUS-65 to CUS-68, BEY-13)."""

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from chassis.access import Permission
from chassis.database import Transaction
from chassis.due import DueWorker
from chassis.jobs import running
from chassis.jobs.running import due_work
from contracts.licensing.product_settings import PolicyDeploymentRequested
from licensing.bulk.deeds import KINDS
from licensing.product_settings import acknowledging, firmware
from licensing.tables.product_settings import PolicyDeployment, Template
from licensing_testing.builders import ApplianceTold, a_customer, a_holder, a_product, a_template, acknowledged
from licensing_testing.desk import Desk

POLICY = {"product": "worry-free", "settings": {"device_control": {"usb": "blocked"}}}
ALL_OF_THEM = 60
BEATEN = text("""
insert into progress (consumer, topic, partition, beat_at) values ('licensing.access', 'user.changed', 0, :at)
on conflict (consumer, topic, partition) do update set beat_at = excluded.beat_at
""")


@pytest.fixture(autouse=True)
def nobody_relays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "LONGEST_LAG", 3600.0)
    monkeypatch.setattr(running, "LONGEST_CHUNK", 60.0)


@pytest.fixture
async def partner(desk: Desk) -> Desk:
    await desk.set_up(a_product)
    await desk.set_up(lambda tx: a_product(tx, "cloud-edge", templates=False, policies=False))
    return desk


async def some(desk: Desk, many: int, *, product: str = "worry-free", **given: Any) -> list[str]:
    async def build(tx: Transaction) -> list[UUID]:
        return [await a_holder(tx, product=product, **given) for _ in range(many)]

    return [str(await desk.knows(one)) for one in await desk.set_up(build)]


async def work_off(desk: Desk, *, chunks: int = 100) -> None:
    """As a worker process does, which may end after any chunk; what it knows of rights is fresh."""
    async with desk.worker.work() as work:
        await work.session.execute(BEATEN, {"at": desk.clock.now()})
    due = DueWorker(due_work(KINDS), desk.worker, desk.clock)
    for _ in range(chunks):
        if not await due.work_one():
            return


async def confirmed(desk: Desk, verb: str, body: dict[str, Any]) -> str:
    """Where the job is that was begun with what the first answer asked for."""
    asked = await desk.post(f"/v1/product-bulk/{verb}", body)
    assert (asked.status_code, asked.json()["code"]) == (428, "confirmation_needed"), asked.text
    begun = await desk.post(f"/v1/product-bulk/{verb}", body | {"confirmation": asked.json()["confirmation"]})
    assert begun.status_code == 202, begun.text
    return str(begun.headers["location"])


async def outcomes(desk: Desk, where: str) -> dict[str, str]:
    items = (await desk.get(f"{where}/items", limit=200)).json()["items"]
    return {one["id"]: one["problem"]["code"] if one["problem"] else one["status"] for one in items}


async def told(desk: Desk, topic: str) -> int:
    async with desk.worker.direct() as connection:
        return int(await connection.fetchval("select count(*) from outbox where topic = $1", topic))


def of(ids: Sequence[str], **more: Any) -> dict[str, Any]:
    return {"selection": {"ids": [*ids]}, **more}


async def test_a_template_is_assigned_to_selected_customers_and_to_each_for_itself(partner: Desk) -> None:
    """CUS-65, CUS-68: whoever cannot be is refused alone, with its reason."""
    first, second = await some(partner, 2)
    (portal,) = await some(partner, 1, account_type="licensing_portal")
    without = str(await partner.knows(await partner.set_up(a_customer)))
    stranger = await partner.newcomer()
    (theirs,) = await some(stranger, 1)
    template = await partner.set_up(a_template)

    where = await confirmed(partner, "template", of([first, portal, without, theirs, second, first], template_id=str(template.id)))
    await work_off(partner)

    assert await outcomes(partner, where) == {
        first: "done",
        second: "done",
        portal: "not_offered",
        without: "product_not_held",
        theirs: "customer_not_found",
    }
    for customer in (first, second):
        (row,) = (await partner.get(f"/v1/customers/{customer}/product-settings")).json()["items"]
        assert (row["settings"], row["template_id"]) == ({"scan": "weekly"}, str(template.id))
    assert await told(partner, "template.assigned") == 2


async def test_what_was_confirmed_is_what_is_assigned(partner: Desk) -> None:
    """CUS-65: another template, other customers or a newer version of it are asked again; what began goes on with what it began with."""
    ids = await some(partner, 2)
    template, other = await partner.set_up(a_template), await partner.set_up(a_template)
    body = of(ids, template_id=str(template.id))
    confirmation = (await partner.post("/v1/product-bulk/template", body)).json()["confirmation"]

    for changed in ({"template_id": str(other.id)}, of(ids[:1])):
        refused = await partner.post("/v1/product-bulk/template", body | changed | {"confirmation": confirmation})
        assert (refused.status_code, refused.json()["code"]) == (412, "confirmation_outdated")
    begun = await partner.post("/v1/product-bulk/template", body | {"confirmation": confirmation})
    await partner.set_up(lambda tx: rewritten(tx, template.id))
    stale = await partner.post("/v1/product-bulk/template", body | {"confirmation": confirmation})
    await work_off(partner)

    assert (begun.status_code, stale.status_code) == (202, 412)
    (row,) = (await partner.get(f"/v1/customers/{ids[0]}/product-settings")).json()["items"]
    assert (row["settings"], row["template_version"]) == ({"scan": "weekly"}, 1)


async def rewritten(tx: Transaction, template_id: UUID) -> None:
    template = await tx.session.get_one(Template, (tx.partner_id, template_id))
    template.settings = {"scan": "never"}


async def test_policy_settings_are_applied_to_all_selected_customers_and_each_says_what_became_of_it(partner: Desk) -> None:
    """CUS-66: the job sends them, the products answer."""
    first, second = await some(partner, 2)
    where = await confirmed(partner, "policy", of([first, second], **POLICY))
    await work_off(partner)
    job_id = where.rpartition("/")[2]
    sent = (await partner.get("/v1/policy-deployments", job_id=job_id)).json()["items"]
    assert {(one["customer_id"], one["status"]) for one in sent} == {(first, "requested"), (second, "requested")}

    async with partner.worker.work() as work, work.item(partner.principal.partner_id) as tx:
        for outcome, one in zip(("applied", "failed"), sorted(sent, key=lambda one: one["customer_id"] != first), strict=True):
            deployment = await tx.session.get_one(PolicyDeployment, (tx.partner_id, UUID(one["id"])))
            await acknowledging.note(tx, acknowledged(deployment, tx.now, outcome=outcome))

    ended = (await partner.get("/v1/policy-deployments", job_id=job_id)).json()["items"]
    assert {(one["customer_id"], one["status"]) for one in ended} == {(first, "applied"), (second, "failed")}
    (row,) = (await partner.get(f"/v1/customers/{first}/product-settings")).json()["items"]
    assert (row["settings"], row["last_deployment"]["status"]) == (POLICY["settings"], "applied")
    assert (await partner.get("/v1/policy-deployments", status="applied")).json()["items"][0]["customer_id"] == first


async def test_only_selected_customers_that_require_an_update_are_told(partner: Desk) -> None:
    """CUS-67, NOT-17: nothing is confirmed, for nothing is overwritten; the others' outcome says why."""
    requiring, current = await some(partner, 2, product="cloud-edge")
    (unselected,) = await some(partner, 1, product="cloud-edge")

    async def report(tx: Transaction) -> None:
        for customer, required in ((requiring, True), (current, False), (unselected, True)):
            appliance = ApplianceTold(partner_id=tx.partner_id, customer_id=UUID(customer))
            await firmware.follow(tx, appliance.now(tx.now, firmware_update_required=required))

    await partner.set_up(report)
    begun = await partner.post("/v1/product-bulk/firmware", of([requiring, current], product="cloud-edge"), idempotency_key="k")
    again = await partner.post("/v1/product-bulk/firmware", of([requiring, current], product="cloud-edge"), idempotency_key="k")
    await work_off(partner)

    assert (begun.status_code, again.json()["id"]) == (202, begun.json()["id"])
    assert await outcomes(partner, begun.headers["location"]) == {requiring: "done", current: "update_not_required"}
    assert await told(partner, "firmware.update_requested") == 1
    (update,) = (await partner.get("/v1/firmware-updates", status="requested")).json()["items"]
    assert (update["customer_id"], update["appliances"], update["job_id"]) == (requiring, 1, begun.json()["id"])
    (row,) = (await partner.get(f"/v1/customers/{requiring}/product-settings")).json()["items"]
    assert row["firmware"] | {"appliances": 1, "requiring_update": 1, "update_status": "requested"} == row["firmware"]


@pytest.mark.parametrize(("verb", "product"), [("policy", "cloud-edge"), ("firmware", "sep-cloud"), ("policy", "abacus")])
async def test_what_a_product_does_not_support_is_refused_before_anything_begins(partner: Desk, verb: str, product: str) -> None:
    """CUS-66, CUS-67: only products that support it."""
    await partner.set_up(lambda tx: a_product(tx, "sep-cloud", templates=False, policies=False, firmware=False))
    ids = await some(partner, 1)
    body = of(ids, product=product) | ({"settings": {}} if verb == "policy" else {})

    refused = await partner.post(f"/v1/product-bulk/{verb}", body)

    assert refused.json()["code"] == ("unknown_product" if product == "abacus" else "settings_not_supported")
    assert refused.json()["remedy"]
    async with partner.worker.direct() as connection:
        assert await connection.fetchval("select count(*) from jobs") == 0


async def test_a_dry_run_says_of_each_customer_what_would_become_of_it(partner: Desk) -> None:
    """BEY-13: nothing is confirmed, changed or told."""
    (holder,) = await some(partner, 1)
    without = str(await partner.knows(await partner.set_up(a_customer)))

    begun = await partner.post("/v1/product-bulk/policy", of([holder, without], **POLICY, dry_run=True))
    await work_off(partner)

    assert await outcomes(partner, begun.headers["location"]) == {holder: "done", without: "product_not_held"}
    assert (await partner.get("/v1/policy-deployments")).json()["items"] == []
    assert await told(partner, PolicyDeploymentRequested.topic) == 0


async def test_many_at_once_are_meant_only_where_their_number_is_repeated(partner: Desk) -> None:
    """BEY-13: the blast radius is a policy's."""
    ids = await some(partner, 12)
    body = of(ids, **POLICY)

    refused = await partner.post("/v1/product-bulk/policy", body)
    meant = await partner.post("/v1/product-bulk/policy", body | {"customers": 12})
    tried = await partner.post("/v1/product-bulk/policy", body | {"dry_run": True})

    limits = {"code": "too_far_reaching", "customers": 12, "of_customers": 12, "policy_version": "1"}
    assert refused.json() | limits == refused.json()
    assert (refused.status_code, meant.json()["code"], tried.status_code) == (409, "confirmation_needed", 202)


async def test_whatever_ends_a_worker_each_customer_is_done_once(partner: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """BEY-13: a worker is killed in the middle of a chunk, another after one; the next goes on where the last has committed."""
    monkeypatch.setattr(running, "_waiting", few(running._waiting))
    ids = await some(partner, ALL_OF_THEM)
    where = await confirmed(partner, "policy", of(ids, **POLICY, customers=ALL_OF_THEM))

    await work_off(partner, chunks=1)
    assert (await partner.get(where)).json()["succeeded"] == 20
    dying = asyncio.create_task(work_off(partner))
    await asyncio.sleep(0.05)
    dying.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await dying
    await work_off(partner)

    assert (await partner.get(where)).json() | {"status": "done", "succeeded": ALL_OF_THEM} == (await partner.get(where)).json()
    async with partner.worker.direct() as connection:
        once = "select count(*), count(distinct customer_id), count(*) filter (where status = 'requested') from policy_deployments"
        assert tuple(await connection.fetchrow(once)) == (ALL_OF_THEM,) * 3
        lanes = "select count(*) from outbox where topic = 'policy.deployment_requested' and lane = 2"
        assert await connection.fetchval(lanes) == ALL_OF_THEM


def few(waiting: Any) -> Any:
    """Twenty items to a chunk, so that there are several."""

    async def some_of(*arguments: Any) -> Any:
        return (await waiting(*arguments))[:20]

    return some_of


async def test_who_may_not_manage_products_begins_nothing(partner: Desk) -> None:
    """CUS-86."""
    ids = await some(partner, 1)
    template, mine = await partner.set_up(a_template), partner.principal.partner_id
    clerk = await partner.newcomer(permissions=set(Permission) - {Permission.PRODUCTS_MANAGE}, partner_id=mine)
    reader, operator = await partner.newcomer(level="read", partner_id=mine), await partner.operator()
    bodies = {"template": {"template_id": str(template.id)}, "policy": POLICY, "firmware": {"product": "cloud-edge"}}

    for verb, body in bodies.items():
        assert (await clerk.post(f"/v1/product-bulk/{verb}", of(ids, **body))).json()["code"] == "not_allowed"
        assert (await operator.post(f"/v1/product-bulk/{verb}", of(ids, **body))).json()["code"] == "wrong_principal"
        assert (await partner.post(f"/v1/product-bulk/{verb}", of([], **body))).status_code == 422
    where = await confirmed(reader, "template", of(ids, template_id=str(template.id)))
    await work_off(partner)
    assert await outcomes(reader, where) == {ids[0]: "read_only_access"}
