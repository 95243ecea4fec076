"""Who may do what, and by which line of which role, is told of now and of any moment since then (BEY-12)."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx

from chassis_testing.clock import FixedClock
from chassis_testing.views import fitted
from customers.access import AccessView
from customers_testing.http import OPERATOR, Web, a_body, as_owner
from customers_testing.people import a_user_with, role_named

MINUTE = timedelta(minutes=1)


async def a_customer_of(web: Web, **changes: Any) -> str:
    answer = await web.post("/v1/customers", a_body(**changes))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def a_role_of(web: Web, name: str, **said: Any) -> str:
    answer = await web.post("/v1/roles", {"name": name} | said)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def explained(web: Web, user_id: str, customer_id: str, **asked: Any) -> dict[str, Any]:
    answer = await web.get(f"/v1/users/{user_id}/access/{customer_id}", **asked)
    assert answer.status_code == 200, answer.text
    said = fitted(AccessView, answer.content)
    assert str(said.user_id) == user_id
    shown: dict[str, Any] = answer.json()
    return shown


def decided(said: dict[str, Any]) -> tuple[str, str | None, str | None, str | None]:
    by = said["decided_by"] or {"name": None, "line": None, "tag": None}
    return said["level"], by["name"], by["line"], by["tag"]


async def edit(web: Web, path: str, body: dict[str, Any], method: str = "PATCH") -> None:
    answer = await web.send(method, path, body, if_match="*")
    assert answer.is_success, answer.text


async def test_it_names_the_role_and_the_line_that_decided(web: Web) -> None:
    """CUS-85 to CUS-91: each line in its turn."""
    partner = await web.a_partner()
    customer = await a_customer_of(partner, tags=["vip", "north"])
    role = await a_role_of(partner, "Night shift", default_level="read", permissions=["customers.add"])
    lesser = await a_role_of(partner, "Nobody", all_customers="none")
    bob = (await a_user_with(partner, "bob@hafen.example", role, lesser)).id
    path = f"/v1/roles/{role}"

    by_default = await explained(partner, bob, customer)
    await edit(partner, path, {"all_customers": "none", "permissions": []})
    by_all = await explained(partner, bob, customer)
    await edit(partner, path, {"tags": {"north": "read", "vip": "read_write", "gold": "none"}})
    by_tag = await explained(partner, bob, customer)
    await edit(partner, path, {"customers": {customer: "read"}})
    by_customer = await explained(partner, bob, customer)

    assert decided(by_default) == ("read", "Night shift", "default", None)
    assert by_default["permissions"] == [{"permission": "customers.add", "role_ids": [role]}]
    assert (by_all["level"], {one["line"] for one in by_all["roles"]}, by_all["permissions"]) == ("none", {"all_customers"}, [])
    assert decided(by_tag) == ("read_write", "Night shift", "tag", "vip")
    assert decided(by_customer) == ("read", "Night shift", "customer", None)
    assert not by_customer["active"]


async def test_the_past_is_answered_as_it_was_recorded(web: Web, clock: FixedClock) -> None:
    """BEY-12: the role, who has it, and the customer's tags, each at its moment."""
    partner = await web.a_partner()
    customer = await a_customer_of(partner, tags=["vip"])
    role = await a_role_of(partner, "Night shift", default_level="none", tags={"vip": "read_write"})
    bob = (await a_user_with(partner, "bob@hafen.example", role)).id
    moments: list[tuple[datetime, dict[str, Any]]] = []

    async def note() -> None:
        moments.append((clock.now(), await explained(partner, bob, customer)))
        clock.move(MINUTE)

    before = clock.now() - MINUTE
    await note()
    await edit(partner, f"/v1/roles/{role}", {"tags": {"vip": "read"}})
    await note()
    await edit(partner, f"/v1/customers/{customer}/tags", {"tags": []}, "PUT")
    await note()
    await edit(partner, f"/v1/users/{bob}/roles", {"role_ids": [await role_named(partner, "Administrator")]}, "PUT")
    await edit(partner, f"/v1/roles/{role}", {"name": "Gone"})
    assert (await partner.delete(f"/v1/roles/{role}", if_match="*")).status_code == 204
    await note()

    levels = [(said["level"], said["decided_by"]["line"]) for _, said in moments]
    assert levels == [("read_write", "tag"), ("read", "tag"), ("none", "default"), ("read_write", "all_customers")]
    for moment, said in moments:
        then = await explained(partner, bob, customer, as_of=(moment + MINUTE / 2).isoformat())
        assert then | {"as_of": None} == said | {"as_of": None}
    assert (await explained(partner, bob, customer, as_of=before.isoformat()))["level"] == "none"


async def test_a_moment_to_come_is_not_known(web: Web, clock: FixedClock) -> None:
    partner = await web.a_partner()
    customer = await a_customer_of(partner)

    answer = await partner.get(f"/v1/me/access/{customer}", as_of=(clock.now() + MINUTE).isoformat())

    assert (answer.status_code, answer.json()["code"], answer.json()["rule"]) == (422, "not_yet", "BEY-12")


async def test_of_oneself_everybody_may_ask_and_of_others_who_manages_roles(web: Web) -> None:
    partner = await web.a_partner()
    customer = await a_customer_of(partner)
    colleague = await a_user_with(partner, "bob@hafen.example", await role_named(partner, "Administrator"))
    bob = await colleague.signed_in()
    grace = (await partner.get("/v1/me")).json()["user"]["id"]

    mine = await bob.get(f"/v1/me/access/{customer}")
    assert decided(mine.json())[:3] == ("read_write", "Administrator", "all_customers")
    assert (await bob.get(f"/v1/users/{colleague.id}/access/{customer}")).json()["level"] == "read_write"
    refused = await bob.get(f"/v1/users/{grace}/access/{customer}")
    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")


async def test_what_the_caller_does_not_see_is_not_there(web: Web) -> None:
    """No access means absent, here too."""
    partner, other = await web.a_partner(), await web.a_partner("Berg IT", "berg.example")
    customer = await a_customer_of(partner)
    bob = await (await a_user_with(partner, "bob@hafen.example", await a_role_of(partner, "Nobody", all_customers="none"))).signed_in()
    grace = (await partner.get("/v1/me")).json()["user"]["id"]

    def code(answer: httpx.Response) -> tuple[int, str]:
        return answer.status_code, answer.json()["code"]

    assert code(await bob.get(f"/v1/me/access/{customer}")) == (404, "customer_not_found")
    assert code(await other.get(f"/v1/users/{grace}/access/{customer}")) == (404, "customer_not_found")
    assert code(await partner.get(f"/v1/users/{uuid4()}/access/{customer}")) == (404, "user_not_found")


async def test_an_operator_has_every_level_by_its_kind(web: Web) -> None:
    partner, operator = await web.a_partner(), await web.sign_in(OPERATOR)
    customer = await a_customer_of(partner)
    grace = (await partner.get("/v1/me")).json()["user"]["id"]

    mine = (await operator.get(f"/v1/me/access/{customer}")).json()

    assert (mine["level"], mine["decided_by"]) == ("read_write", None)
    assert (await explained(operator, grace, customer))["level"] == "read_write"


async def test_what_is_recorded_names_nobody(web: Web) -> None:
    """It is kept, so it holds ids, roles and tags, and no person."""
    partner = await web.a_partner()
    await a_customer_of(partner)

    kept = str(await as_owner(web, "select jsonb_agg(to_jsonb(h))::text from rights_history h"))

    assert "customers" in kept
    assert not [one for one in ("Grace", "grace@", "Ada", "ada@", "ller") if one in kept]
