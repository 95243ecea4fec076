"""A customer goes to another partner of the same tree with all that is its own; its old partner sees nothing of it any more (MKT-02)."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from chassis.consumers import Event
from chassis.consumers.events import Place
from chassis.database import WorkerDatabase
from chassis.due import DueWorker
from chassis_testing.clock import FixedClock
from chassis_testing.told import an_envelope
from contracts.any.releasing import CustomerReleased
from contracts.customers.customers import CustomerChanged
from contracts.customers.offboarding import RELEASERS, CustomerMoved
from customers import due
from customers.offboarding import moving
from customers.tables.offboarding import Move
from customers_testing.http import OPERATOR, PASSWORD, Web, a_body, as_owner

PLACE = Place(topic="elsewhere", partition=0, offset=0)


@dataclass(frozen=True)
class Tree:
    """A distributor, two partners below it, and a customer of the first."""

    above: Web
    old: Web
    new: Web
    ids: dict[str, str]
    customer: str

    async def asked(self, who: Web, to: str, acting_as: str | None = None) -> httpx.Response:
        """Ask for the move, and confirm what it would do."""
        path, body = f"/v1/customers/{self.customer}/move", {"partner_id": to}
        headers = {"if_match": "*"} | ({"partnerdeck_acting_as": acting_as} if acting_as else {})
        first = await who.post(path, body, **headers)
        if first.json().get("code") != "confirmation_needed":
            return first
        return await who.post(path, body | {"confirmation": first.json()["confirmation"]}, **headers)


async def whose(web: Web) -> str:
    return str((await web.get("/v1/me")).json()["partner"]["id"])


async def below(web: Web, parent: str, name: str, domain: str, **more: bool) -> Web:
    operator = await web.sign_in(OPERATOR)
    admin = {"name": "Max Berg", "email": f"max@{domain}", "password": PASSWORD}
    made = await operator.post("/v1/partners", {"company_name": name, "country": "DE", "parent_id": parent, "admin": admin} | more)
    assert made.is_success, made.text
    return await web.sign_in(admin["email"])


@pytest.fixture
async def tree(web: Web) -> Tree:
    above = await web.a_partner("Dach Distribution", "dach.example")
    top = await whose(above)
    old, new = await below(web, top, "Hafen IT", "hafen.example"), await below(web, top, "Berg IT", "berg.example")
    customer = (await old.post("/v1/customers", a_body(tags=["gold"]))).json()["id"]
    ids = {"above": top, "old": await whose(old), "new": await whose(new)}
    return Tree(above, old, new, ids, customer)


@dataclass(frozen=True)
class Services:
    """The services that answer, and customers' worker."""

    worker: WorkerDatabase
    clock: FixedClock

    async def answer(self, tree: Tree, *names: str, version: int | None = None) -> None:
        """Say in these services' names that they keep still."""
        customer_id = UUID(tree.customer)
        async with self.worker.work() as work, work.item(UUID(tree.ids["old"])) as tx:
            found = select(Move.asked_version).where(Move.id == customer_id)
            asked = version or await tx.session.scalar(found, execution_options={"across_partners": "a test"}) or 0
            for name in names:
                about = {"subject": customer_id, "partner_id": tx.partner_id, "customer_id": customer_id}
                said = an_envelope(CustomerReleased(service=name), version=asked, at=self.clock.now(), **about)
                await moving.hear(tx, Event(envelope=said, record=CustomerReleased(service=name), place=PLACE))

    async def work_off(self) -> None:
        worker = DueWorker(due.kinds(), self.worker, self.clock)
        while await worker.work_one():
            pass

    async def go(self, tree: Tree) -> None:
        """Let everybody answer, and the move end."""
        await self.answer(tree, *RELEASERS)
        await self.work_off()


@pytest.fixture
def services(worker_database: WorkerDatabase, clock: FixedClock) -> Services:
    return Services(worker_database, clock)


async def the_job(tree: Tree, asked: httpx.Response) -> dict[str, Any]:
    job: dict[str, Any] = (await tree.above.send("GET", asked.headers["location"], partnerdeck_acting_as=tree.ids["old"])).json()
    return job


async def the_move(tree: Tree) -> dict[str, Any]:
    found = await tree.above.send("GET", f"/v1/customers/{tree.customer}/move", partnerdeck_acting_as=tree.ids["old"])
    move: dict[str, Any] = found.json()
    return move


async def test_who_stands_above_both_moves_a_customer_and_both_audits_tell_it(
    tree: Tree, web: Web, worker_database: WorkerDatabase, services: Services
) -> None:
    consents = await as_owner(web, "select string_agg(id::text, ' ' order by id) from eula_acceptances")
    asked = await tree.asked(tree.above, tree.ids["new"], acting_as=tree.ids["old"])
    assert asked.status_code == 202, asked.text
    await services.go(tree)
    assert (await the_job(tree, asked))["status"] == "done"

    path = f"/v1/customers/{tree.customer}"
    assert (await tree.old.get(path)).json()["code"] == "customer_not_found"
    assert (await tree.old.get("/v1/customers")).json()["items"] == []
    now = (await tree.new.get(path)).json()
    assert (now["partner_id"], now["owner_partner_id"], now["tags"]) == (tree.ids["new"], tree.ids["old"], [])
    assert await as_owner(web, "select string_agg(id::text, ' ' order by id) from eula_acceptances") == consents
    entries = "select string_agg(partner_id::text, ' ' order by at, id) from audit where facts = '{customer.moved}' and customer_id = $1"
    audited = str(await as_owner(web, entries, tree.customer)).split()
    assert sorted(audited) == sorted([tree.ids["old"], tree.ids["new"]])
    async with worker_database.direct() as connection:
        told = await connection.fetch("select payload from outbox where topic = 'customer.moved'")
    facts = [CustomerMoved.read(one["payload"]) for one in told]
    assert [(str(one.from_partner_id), str(one.to_partner_id)) for one in facts] == [(tree.ids["old"], tree.ids["new"])] * 2


async def test_it_is_said_before_and_confirmed(tree: Tree) -> None:
    path, acting = f"/v1/customers/{tree.customer}/move", {"partnerdeck_acting_as": tree.ids["old"]}
    said = (await tree.above.post(f"{path}/preview", {"partner_id": tree.ids["new"]}, **acting)).json()
    refused = await tree.above.post(path, {"partner_id": tree.ids["new"]}, if_match="*", **acting)
    unseen = await tree.above.post(path, {"partner_id": tree.ids["new"]}, **acting)
    stale = await tree.above.post(path, {"partner_id": tree.ids["new"]}, if_match='"7"', **acting)

    assert [one["code"] for one in said["consequences"]] == ["moved", "tags_lost"]
    assert (refused.status_code, refused.json()["confirmation"]) == (428, said["confirmation"])
    assert (unseen.status_code, stale.status_code) == (428, 412)


async def test_nobody_gives_a_customer_where_it_has_nothing_to_say(tree: Tree, web: Web) -> None:
    """Neither beside nor above, nor to who has shut it out, nor into or out of play."""
    stranger = await web.a_partner("Fremd IT", "fremd.example")
    sandbox = await below(web, tree.ids["above"], "Spiel IT", "spiel.example", sandbox=True)
    for who, to, acting_as in (
        (tree.old, tree.ids["new"], None),
        (tree.old, tree.ids["above"], None),
        (tree.above, await whose(stranger), tree.ids["old"]),
        (tree.above, tree.ids["old"], tree.ids["old"]),
        (tree.above, await whose(sandbox), tree.ids["old"]),
    ):
        refused = await tree.asked(who, to, acting_as)
        assert (refused.status_code, refused.json()["code"]) == (409, "no_place_to_move")
    assert (await tree.asked(stranger, tree.ids["new"])).json()["code"] == "customer_not_found"
    await as_owner(web, "update partners set shut_out = true where id = $1", tree.ids["new"])
    assert (await tree.asked(tree.above, tree.ids["new"], tree.ids["old"])).json()["code"] == "no_place_to_move"


async def test_one_that_its_new_partner_has_already_stays_where_it_is(tree: Tree, services: Services) -> None:
    body = a_body() | {"domain": "other.example", "contact": a_body()["contact"] | {"email": "eve@other.example"}}
    assert (await tree.new.post("/v1/customers", body)).is_success
    asked = await tree.asked(tree.above, tree.ids["new"], acting_as=tree.ids["old"])
    await services.go(tree)

    job, move = await the_job(tree, asked), await the_move(tree)
    assert (job["status"], job["reason"]["code"], move["status"], move["code"]) == (
        "failed",
        "duplicate_company",
        "called_off",
        "duplicate_company",
    )
    assert (await tree.old.get(f"/v1/customers/{tree.customer}")).json()["partner_id"] == tree.ids["old"]
    assert (await tree.old.send("PUT", f"/v1/customers/{tree.customer}/tags", {"tags": ["vip"]}, if_match="*")).is_success


async def test_until_the_last_service_has_answered_it_stays_and_nothing_is_done_with_it(tree: Tree, services: Services) -> None:
    """The customer's state says where it is being moved to, and the move whom it waits for."""
    await tree.asked(tree.above, tree.ids["new"], acting_as=tree.ids["old"])
    await services.answer(tree, "licensing", "reporting")
    await services.answer(tree, "licensing")
    await services.work_off()

    move = await the_move(tree)
    assert (move["status"], move["to_partner_id"], move["waiting_for"]) == ("asked", tree.ids["new"], ["notifications"])
    path = f"/v1/customers/{tree.customer}"
    assert (await tree.old.get(path)).is_success
    tagged = await tree.old.send("PUT", f"{path}/tags", {"tags": ["vip"]}, if_match="*")
    assert (tagged.status_code, tagged.json()["code"]) == (409, "customer_moving")
    again = await tree.asked(tree.above, tree.ids["new"], acting_as=tree.ids["old"])
    assert (again.status_code, again.json()["code"]) == (409, "customer_moving")
    offered = {one["action"]: one["code"] for one in (await tree.old.get(f"{path}/actions")).json()["items"]}
    assert (offered["view_profile"], offered["unlink"]) == (None, "customer_moving")
    async with services.worker.direct() as connection:
        told = await connection.fetch(
            "select payload from outbox where topic = 'customer.changed' and entity = $1 order by id", UUID(tree.customer)
        )
    assert [CustomerChanged.read(one["payload"]).state.moving_to for one in told][-1] == UUID(tree.ids["new"])

    await services.answer(tree, "notifications")
    await services.work_off()
    assert (await tree.new.get(path)).json()["partner_id"] == tree.ids["new"]


async def test_where_a_service_stays_silent_for_too_long_the_customer_stays(tree: Tree, web: Web, services: Services) -> None:
    """What it answers later answers nothing any more."""
    await tree.asked(tree.above, tree.ids["new"], acting_as=tree.ids["old"])
    await services.answer(tree, "licensing", "reporting")
    services.clock.move(timedelta(minutes=59))
    await services.work_off()
    assert await as_owner(web, "select status from moves where id = $1", tree.customer) == "asked"

    services.clock.move(timedelta(minutes=2))
    await services.work_off()

    await services.answer(tree, "notifications", version=1_000)
    await services.work_off()
    said = "select m.code || ' ' || j.status || ' ' || j.reason from moves m join jobs j on j.id = m.job_id where m.id = $1"
    assert str(await as_owner(web, said, tree.customer)).startswith("not_released failed ")
    assert "notifications" in str(await as_owner(web, said, tree.customer))
    assert (
        str(await as_owner(web, "select partner_id from customers where id = $1 and moving_to is null", tree.customer)) == tree.ids["old"]
    )


async def test_a_move_that_is_cancelled_leaves_the_customer_where_it_was_and_may_be_asked_for_again(tree: Tree, services: Services) -> None:
    asked = await tree.asked(tree.above, tree.ids["new"], acting_as=tree.ids["old"])
    before = (await the_move(tree))["version"]
    cancelled = await tree.above.post(f"{asked.headers['location']}/cancel", {}, partnerdeck_acting_as=tree.ids["old"])
    assert cancelled.is_success, cancelled.text
    await services.go(tree)

    assert ((await the_job(tree, asked))["status"], (await the_move(tree))["code"]) == ("cancelled", "cancelled")
    second = await tree.asked(tree.above, tree.ids["new"], acting_as=tree.ids["old"])
    assert second.status_code == 202, second.text
    await services.answer(tree, *RELEASERS, version=1)
    await services.work_off()
    assert sorted((await the_move(tree))["waiting_for"]) == sorted(RELEASERS), "what answered the first asking answers no other"
    await services.go(tree)
    assert (await the_move(tree))["version"] > before
    assert (await tree.new.get(f"/v1/customers/{tree.customer}")).is_success


async def test_of_twenty_that_ask_at_once_one_moves_it(tree: Tree, services: Services) -> None:
    path, acting = f"/v1/customers/{tree.customer}/move", {"partnerdeck_acting_as": tree.ids["old"]}
    said = (await tree.above.post(f"{path}/preview", {"partner_id": tree.ids["new"]}, **acting)).json()
    body = {"partner_id": tree.ids["new"], "confirmation": said["confirmation"]}
    answers = await asyncio.gather(*(tree.above.post(path, body, if_match="*", **acting) for _ in range(20)))
    await services.go(tree)

    assert [one.status_code for one in answers].count(202) == 1
    assert {one.json()["code"] for one in answers if one.status_code != 202} <= {"customer_moving", "busy"}
    async with services.worker.direct() as connection:
        assert await connection.fetchval("select count(*) from outbox where topic = 'customer.moved'") == 2


async def test_whoever_asked_and_may_no_longer_moves_nothing(tree: Tree, web: Web, services: Services) -> None:
    asked = await tree.asked(tree.above, tree.ids["new"], acting_as=tree.ids["old"])
    await as_owner(web, "update partners set shut_out = true where id = $1", tree.ids["new"])
    await services.go(tree)

    assert (await the_job(tree, asked))["reason"]["code"] == "no_place_to_move"
    assert (await tree.old.get(f"/v1/customers/{tree.customer}")).is_success
    stranger = await web.a_partner("Fremd IT", "fremd.example")
    for who in (stranger, tree.new):
        assert (await who.get(f"/v1/customers/{tree.customer}/move")).json()["code"] == "move_not_found"
