"""A partner keeps a product's settings under names; one of them is what new customers get (CUS-28, CUS-65)."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from chassis.access import Permission
from chassis.database import Transaction
from chassis.http.lists import Wanted
from chassis_testing.database import as_stranger, reading
from licensing.product_settings import templates
from licensing_testing.builders import a_product, a_template
from licensing_testing.desk import Desk

WHERE = "/v1/product-templates"


def a_body(name: str = "Strict", **more: Any) -> dict[str, Any]:
    return {"product": "worry-free", "name": name, "settings": {"antivirus": {"scan": "daily"}}, **more}


@pytest.fixture
async def partner(desk: Desk) -> Desk:
    await desk.set_up(a_product)
    await desk.set_up(lambda tx: a_product(tx, "sep-cloud", templates=False, policies=False, firmware=False))
    return desk


async def test_a_template_is_kept_read_changed_and_forgotten_by_its_version(partner: Desk) -> None:
    made = await partner.post(WHERE, a_body(), idempotency_key="once")
    again = await partner.post(WHERE, a_body(), idempotency_key="once")
    where = made.headers["location"]

    unseen = await partner.client.patch(where, json={"name": "Stricter"}, headers=partner._headers({}))
    changed = await partner.client.patch(where, json={"name": "Stricter", "settings": {}}, headers=partner._headers({"if_match": '"1"'}))
    stale = await partner.client.delete(where, headers=partner._headers({"if_match": '"1"'}))
    read = await partner.get(where)
    gone = await partner.client.delete(where, headers=partner._headers({"if_match": '"2"'}))

    assert (made.status_code, again.content, made.headers["etag"]) == (201, made.content, '"1"')
    assert (unseen.status_code, stale.status_code, gone.status_code) == (428, 412, 204)
    assert (changed.json(), read.headers["etag"]) == (read.json(), '"2"')
    assert read.json() | {"name": "Stricter", "settings": {}, "is_default": False} == read.json()
    assert (await partner.get(where)).json()["code"] == "template_not_found"


async def test_only_a_product_that_is_capable_of_it_has_templates(partner: Desk) -> None:
    """CUS-65: only template-capable products."""
    incapable = await partner.post(WHERE, a_body(product="sep-cloud"))
    unknown = await partner.post(WHERE, a_body(product="abacus"))

    assert (incapable.status_code, incapable.json()["code"], incapable.json()["rule"]) == (409, "settings_not_supported", "CUS-65")
    assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown_product")
    said = {
        one["code"]: (one["templates"], one["policies"], one["firmware"]) for one in (await partner.get("/v1/products")).json()["items"]
    }
    assert said == {"sep-cloud": (False, False, False), "worry-free": (True, True, True)}


async def test_all_that_is_wrong_with_settings_is_said_at_once(partner: Desk) -> None:
    deep: dict[str, Any] = {}
    inner = deep
    for _ in range(8):
        inner["in"] = inner = {}
    settings = {"deep": deep, "admin_password": "hunter2", "": 1, "proxy": [{"token": "abc"}], "token_lifetime": 5, "x" * 101: 1}

    refused = await partner.post(WHERE, a_body("", settings=settings))
    large = await partner.post(WHERE, a_body(settings={"text": "x" * 33_000}))

    assert refused.status_code == 422
    found = {(one["pointer"][:40], one["code"]) for one in refused.json()["errors"]}
    assert found == {
        ("/name", "too_short"),
        ("/settings/deep/in/in/in/in/in/in/in", "too_deep"),
        ("/settings/admin_password", "secret"),
        ("/settings/", "bad_name"),
        ("/settings/proxy/0/token", "secret"),
        (f"/settings/{'x' * 30}", "bad_name"),
    }
    assert [(one["pointer"], one["code"]) for one in large.json()["errors"]] == [("/settings", "too_large")]
    assert "hunter2" not in refused.text


async def test_a_name_is_had_once_whatever_its_case(partner: Desk) -> None:
    answers = await asyncio.gather(*(partner.post(WHERE, a_body(name)) for name in ("Strict", "strict", "STRICT", "Strict")))

    assert Counter(one.status_code for one in answers) == {201: 1, 409: 3}
    assert {one.json()["code"] for one in answers if one.status_code == 409} == {"template_name_taken"}


async def test_of_twenty_that_become_the_default_at_once_one_is_it(partner: Desk) -> None:
    """CUS-28: new customers get one."""
    made = [(await partner.post(WHERE, a_body(f"Template {number}"))).headers["location"] for number in range(20)]

    answers = await asyncio.gather(
        *(partner.client.patch(where, json={"is_default": True}, headers=partner._headers({"if_match": '"1"'})) for where in made)
    )

    assert {one.status_code for one in answers} == {200}
    assert len((await partner.get(WHERE, is_default="true")).json()["items"]) == 1
    first = (await partner.post(WHERE, a_body("Another", is_default=True))).json()
    assert [one["id"] for one in (await partner.get(WHERE, is_default="true")).json()["items"]] == [first["id"]]


async def test_templates_are_listed_by_name_page_by_page_and_by_product(partner: Desk) -> None:
    for name in ("beta", "Alpha", "gamma"):
        await partner.post(WHERE, a_body(name))

    first = (await partner.get(WHERE, limit=2)).json()
    second = (await partner.get(WHERE, limit=2, cursor=first["next"])).json()

    assert [one["name"] for one in first["items"] + second["items"]] == ["Alpha", "beta", "gamma"]
    assert (await partner.get(WHERE, product="cloud-edge")).json()["items"] == []


async def test_who_may_not_manage_products_reads_templates_and_changes_none(partner: Desk) -> None:
    where = (await partner.post(WHERE, a_body())).headers["location"]
    clerk = await partner.newcomer(permissions=set(Permission) - {Permission.PRODUCTS_MANAGE}, partner_id=partner.principal.partner_id)
    stranger = await partner.newcomer()
    operator = await partner.operator()

    assert (await clerk.get(where)).status_code == (await operator.get(where)).status_code == 200
    assert (await clerk.post(WHERE, a_body("Other"))).json()["code"] == "not_allowed"
    assert (await operator.post(WHERE, a_body("Other"))).json()["code"] == "wrong_principal"
    assert (await stranger.get(where)).json()["code"] == "template_not_found"
    changed = await stranger.client.patch(where, json={"name": "Mine"}, headers=stranger._headers({"if_match": "*"}))
    assert changed.json()["code"] == "template_not_found"


async def test_what_changed_stands_in_the_audit_before_and_after(partner: Desk) -> None:
    where = (await partner.post(WHERE, a_body())).headers["location"]
    await partner.client.patch(where, json={"name": "Loose"}, headers=partner._headers({"if_match": '"1"'}))

    async with partner.worker.direct() as connection:
        rows = await connection.fetch("select before ->> 'name' as before, after ->> 'name' as after from audit_values order by audit_id")
    assert [(row["before"], row["after"]) for row in rows] == [(None, "Strict"), ("Strict", "Loose")]


async def test_another_partners_templates_do_not_exist(tx: Transaction) -> None:
    await a_product(tx)
    await a_template(tx)

    async with as_stranger(tx) as stranger:
        assert (await templates.page(await reading(stranger), Wanted())).items == []
