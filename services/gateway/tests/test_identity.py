"""Nobody passes the door unnamed but to where names are given, and nobody is named by the gateway."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from gateway_stage import Stage, a_stage, a_token, signed_in
from joserfc.jwk import OKPKey

from chassis_testing.waiting import eventually

NOW = datetime.now(UTC)


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        (None, "token_missing"),
        ("Basic eDp5", "token_missing"),
        ("Bearer none", "token_invalid"),
        (f"Bearer {a_token(key=OKPKey.generate_key('Ed25519'))}", "token_invalid"),
        (f"Bearer {a_token(now=NOW - timedelta(hours=1))}", "token_expired"),
    ],
)
async def test_a_request_without_a_good_token_reaches_no_service(fresh_stage: Stage, authorization: str | None, code: str) -> None:
    stage = fresh_stage
    answered = await stage.client.get("/v1/customers", headers={"authorization": authorization} if authorization else {})

    assert (answered.status_code, answered.json()["code"]) == (401, code)
    assert answered.headers["www-authenticate"].startswith("Bearer")
    assert answered.json()["request_id"] == answered.headers["x-request-id"]
    assert [asked for asked in stage["customers"].asked if asked.target == "/v1/customers"] == []


async def test_the_token_is_passed_on_to_be_checked_again(fresh_stage: Stage) -> None:
    stage, headers = fresh_stage, signed_in()
    for _ in range(3):
        await stage.client.get("/v1/customers", headers=headers)

    asked = [asked.header("authorization") for asked in stage["customers"].asked if asked.target == "/v1/customers"]
    assert asked == [headers["authorization"]] * 3
    assert [asked.target for asked in stage["customers"].asked].count("/.well-known/jwks.json") == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/sessions"),
        ("POST", "/v1/sessions/refresh"),
        ("POST", "/v1/sessions/end"),
        ("POST", "/v1/credentials/set-password"),
        ("GET", "/.well-known/jwks.json"),
        ("GET", "/openapi.json"),
        ("GET", "/events.json"),
        ("GET", "/health/live"),
        ("GET", "/health/ready"),
        ("GET", "/welcome"),
        ("GET", "/"),
    ],
)
async def test_where_names_are_given_none_is_asked_for(stage: Stage, method: str, path: str) -> None:
    assert (await stage.client.request(method, path)).status_code in {200, 503}


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
async def test_another_method_at_a_public_path_is_not_public(stage: Stage, method: str) -> None:
    assert (await stage.client.request(method, "/v1/sessions")).status_code == 401


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/customers/", "/v1", "/v1/customers//profile", "/metrics", "/v1/sessions/x/y"])
async def test_an_unknown_path_is_answered_with_what_to_do(stage: Stage, path: str) -> None:
    answered = await stage.client.get(path, headers=signed_in())

    assert (answered.status_code, answered.json()["code"]) == (404, "no_such_path")
    assert "/openapi.json" in answered.json()["remedy"]
    assert answered.headers["content-type"] == "application/problem+json"


async def test_the_gateways_own_pages_are_only_read(stage: Stage) -> None:
    answered = await stage.client.post("/v1/customers/x/profile", headers=signed_in())

    assert (answered.status_code, answered.headers["allow"]) == (405, "GET, HEAD")


async def test_who_cannot_be_checked_is_told_to_come_again() -> None:
    async with a_stage() as stage:
        await stage["customers"].stop()
        answered = await stage.client.get("/v1/offers", headers=signed_in())
        await stage["customers"].start()

    assert (answered.status_code, answered.json()["code"], answered.headers["retry-after"]) == (503, "keys_unavailable", "1")


async def test_the_root_says_where_to_begin(stage: Stage) -> None:
    said = (await stage.client.get("/")).json()

    assert said["name"] == "Partnerdeck"
    assert said["links"]["openapi"] == "/openapi.json"


async def test_ready_says_the_truth_about_each_service(stage: Stage) -> None:
    ready = await stage.client.get("/health/ready")
    stage["licensing"].says("/health/ready", {"ready": False}, 503)
    stage["reporting"].says("/health/ready", {"ready": False}, 500)

    async def not_ready_any_more() -> httpx.Response:
        answered = await stage.client.get("/health/ready")
        assert answered.status_code == 503
        return answered

    not_ready = await eventually(not_ready_any_more)

    everything = dict.fromkeys(("customers", "licensing", "reporting", "notifications"), True)
    assert (ready.status_code, ready.json()) == (200, {"ready": True, "checks": everything})
    assert not_ready.json() == {"ready": False, "checks": everything | {"licensing": False, "reporting": False}}
    assert (await stage.client.get("/health/live")).json() == {"live": True}
