"""A customer goes to another partner of the same tree with all that is its own; its old partner sees nothing of it any more (MKT-02)."""

from dataclasses import dataclass

import httpx
import pytest

from chassis.database import WorkerDatabase
from chassis.due import DueWorker
from chassis.jobs.running import due_work
from chassis_testing.clock import FixedClock
from contracts.customers.offboarding import CustomerMoved
from customers.offboarding.moving import MOVE
from customers_testing.http import OPERATOR, PASSWORD, Web, a_body, as_owner


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


async def work_off(worker: WorkerDatabase, clock: FixedClock) -> None:
    async with worker.direct() as connection:
        await connection.execute("delete from outbox")
    due = DueWorker(due_work([MOVE]), worker, clock)
    while await due.work_one():
        pass


async def test_who_stands_above_both_moves_a_customer_and_both_audits_tell_it(
    tree: Tree, web: Web, worker_database: WorkerDatabase, clock: FixedClock
) -> None:
    consents = await as_owner(web, "select string_agg(id::text, ' ' order by id) from eula_acceptances")
    asked = await tree.asked(tree.above, tree.ids["new"], acting_as=tree.ids["old"])
    assert asked.status_code == 202, asked.text
    await work_off(worker_database, clock)

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


async def test_one_that_its_new_partner_has_already_stays_where_it_is(
    tree: Tree, worker_database: WorkerDatabase, clock: FixedClock
) -> None:
    body = a_body() | {"domain": "other.example", "contact": a_body()["contact"] | {"email": "eve@other.example"}}
    assert (await tree.new.post("/v1/customers", body)).is_success
    asked = await tree.asked(tree.above, tree.ids["new"], acting_as=tree.ids["old"])
    await work_off(worker_database, clock)

    items = await tree.above.send("GET", f"{asked.headers['location']}/items", partnerdeck_acting_as=tree.ids["old"])
    assert [one["problem"]["code"] for one in items.json()["items"]] == ["duplicate_company"]
    assert (await tree.old.get(f"/v1/customers/{tree.customer}")).json()["partner_id"] == tree.ids["old"]
