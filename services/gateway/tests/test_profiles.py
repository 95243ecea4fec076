"""A customer's profile is one answer from several services, and one service's trouble is not the others' (GW-05)."""

import asyncio
from uuid import UUID

import pytest
from gateway_stage import Stage, answer, body_of, signed_in
from starlette.types import Receive, Scope, Send

from chassis.ids import new_id
from chassis.principal import Principal
from gateway import parts

ID = str(new_id())
URL = f"/v1/customers/{ID}/profile"


@pytest.fixture
def known(stage: Stage) -> Stage:
    """A customer that every service knows."""
    stage["customers"].says(f"/v1/customers/{ID}", {"id": ID, "name": "Ünit"})
    stage["licensing"].says(f"/v1/customers/{ID}/entitlements", {"items": [1]})
    stage["licensing"].says(f"/v1/customers/{ID}/provisioning", {"items": [2]})
    stage["licensing"].says(f"/v1/customers/{ID}/product-settings", {"items": [4]})
    stage["reporting"].says(f"/v1/customer-overview/{ID}", {"attention": []})
    stage["reporting"].says(f"/v1/customers/{ID}/endpoint-summary", {"endpoints": 4})
    stage["reporting"].says(f"/v1/customers/{ID}/deployment-chart", {"deployed": 5})
    stage["notifications"].says("/v1/notifications", {"items": [3]})
    return stage


async def test_a_profile_is_composed_of_what_every_service_knows(known: Stage) -> None:
    """CUS-38: entitlement, management status and information, endpoint summary, deployment chart."""
    headers = signed_in() | {"partnerdeck-acting-as": "somebody", "x-request-id": "r1"}
    answered = await known.client.get(URL, headers=headers)

    assert answered.status_code == 200
    assert answered.json() == {
        "customer": {"id": ID, "name": "Ünit"},
        "entitlements": {"items": [1]},
        "settings": {"items": [4]},
        "provisioning": {"items": [2]},
        "endpoints": {"endpoints": 4},
        "deployment": {"deployed": 5},
        "overview": {"attention": []},
        "notifications": {"items": [3]},
        "missing": [],
    }
    asked = [asked for service in known.services.values() for asked in service.asked if asked.target != "/.well-known/jwks.json"]
    assert {one.header("authorization") for one in asked} == {headers["authorization"]}
    assert {one.header("partnerdeck-acting-as") for one in asked} == {"somebody"}
    assert {one.header("x-request-id") for one in asked} == {"r1"}
    assert known["notifications"].asked[0].target == f"/v1/notifications?customer_id={ID}"


async def test_parts_that_cannot_be_had_are_named_and_the_rest_is_answered(known: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hanging(_: Scope, __: Receive, ___: Send) -> None:
        await asyncio.sleep(2)

    known["licensing"].handlers[f"/v1/customers/{ID}/entitlements"] = hanging
    known["reporting"].says(f"/v1/customer-overview/{ID}", {"code": "not_found"}, 404)
    known["reporting"].says(f"/v1/customers/{ID}/deployment-chart", {"code": "internal"}, 500)
    known["notifications"].says("/v1/notifications", "no problem at all", 500)
    monkeypatch.setattr(parts, "DEADLINE", 0.3)
    answered = await known.client.get(URL, headers=signed_in())

    body = answered.json()
    assert answered.status_code == 200
    assert (body["customer"]["name"], body["endpoints"], body["entitlements"]) == ("Ünit", {"endpoints": 4}, None)
    assert body["missing"] == [
        {"part": "entitlements", "reason": parts.LATE},
        {"part": "deployment", "reason": "internal"},
        {"part": "overview", "reason": "not_found"},
        {"part": "notifications", "reason": "unknown"},
    ]


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_what_customers_refuses_is_the_whole_answer(known: Stage, status: int) -> None:
    known["customers"].says(f"/v1/customers/{ID}", {"code": "refused", "status": status}, status)
    answered = await known.client.get(URL, headers=signed_in())

    assert (answered.status_code, answered.json()["code"]) == (status, "refused")
    assert answered.headers["content-type"] == "application/problem+json"


async def test_a_profile_of_nothing_is_no_profile(known: Stage) -> None:
    for name, path in (
        ("customers", f"/v1/customers/{ID}"),
        ("licensing", f"/v1/customers/{ID}/entitlements"),
        ("licensing", f"/v1/customers/{ID}/product-settings"),
        ("licensing", f"/v1/customers/{ID}/provisioning"),
        ("reporting", f"/v1/customer-overview/{ID}"),
        ("reporting", f"/v1/customers/{ID}/endpoint-summary"),
        ("reporting", f"/v1/customers/{ID}/deployment-chart"),
        ("notifications", "/v1/notifications"),
    ):
        known[name].says(path, {"code": "internal"}, 500)
    answered = await known.client.get(URL, headers=signed_in())

    assert (answered.status_code, answered.json()["code"]) == (503, "upstream_unavailable")


async def test_a_service_that_is_down_is_one_part_less(fresh_stage: Stage) -> None:
    await fresh_stage["reporting"].stop()
    answered = await fresh_stage.client.get(URL, headers=signed_in())
    await fresh_stage["reporting"].start()

    gone = [{"part": part, "reason": "upstream_unavailable"} for part in ("endpoints", "deployment", "overview")]
    assert answered.json()["missing"] == gone


async def test_ids_are_uuids(stage: Stage) -> None:
    answered = await stage.client.get("/v1/customers/1/profile", headers=signed_in())

    assert (answered.status_code, answered.json()["code"]) == (404, "no_such_path")


async def test_strangers_are_shown_nothing(stage: Stage) -> None:
    assert (await stage.client.get(URL)).status_code == 401
    assert stage["customers"].asked == []


async def test_a_customers_own_user_is_asked_only_what_it_may_see(known: Stage) -> None:
    """Else each look would stand in the audit as three attempts that were denied."""
    own = Principal(kind="customer", user_id=new_id(), partner_id=new_id(), gen=1, customer_id=UUID(ID))
    answered = (await known.client.get(URL, headers=signed_in(own))).json()

    assert {name for name, service in known.services.items() if any("/v1/" in one.target for one in service.asked)} == {
        "customers",
        "licensing",
        "reporting",
    }
    assert (answered["endpoints"], answered["deployment"]) == ({"endpoints": 4}, {"deployed": 5})
    assert [one["part"] for one in answered["missing"]] == ["provisioning", "overview", "notifications"]
    assert {one["reason"] for one in answered["missing"]} == {"wrong_principal"}


async def test_a_refusal_keeps_its_challenge_and_its_patience(known: Stage) -> None:
    """RFC 9110, 15.5.2."""

    async def refuse(_: Scope, receive: Receive, send: Send) -> None:
        await body_of(receive)
        await answer(send, {"code": "token_expired"}, 401, ((b"www-authenticate", b"Bearer"), (b"retry-after", b"1")))

    known["customers"].handlers[f"/v1/customers/{ID}"] = refuse
    answered = await known.client.get(URL, headers=signed_in())

    assert (answered.headers["www-authenticate"], answered.headers["retry-after"]) == ("Bearer", "1")
