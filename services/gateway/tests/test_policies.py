"""What the operator has decided stands in one list, whichever service decides by it (BEY-04)."""

from gateway_stage import Stage, signed_in

from gateway.policies import SERVICES

URL = "/v1/policies"


def knows(stage: Stage, service: str, *kinds: str) -> None:
    items = [{"service": service, "kind": kind} for kind in kinds]
    stage[service].says(SERVICES[service], {"items": items, "next": None, "as_of": "2026-01-05T09:00:00Z"})


async def test_the_policies_of_all_services_are_one_list(stage: Stage) -> None:
    knows(stage, "customers", "identity", "roles")
    knows(stage, "licensing", "rating")
    knows(stage, "reporting", "attention")

    answered = await stage.client.get(URL, headers=signed_in())

    assert answered.status_code == 200
    assert [one["kind"] for one in answered.json()["items"]] == ["identity", "roles", "rating", "attention"]
    assert answered.json()["missing"] == []


async def test_a_service_that_does_not_say_is_named(stage: Stage) -> None:
    knows(stage, "customers", "identity")
    knows(stage, "reporting")
    stage["licensing"].says(SERVICES["licensing"], {"code": "internal"}, 500)

    answered = await stage.client.get(URL, headers=signed_in())

    assert (len(answered.json()["items"]), answered.json()["missing"]) == (1, [{"part": "licensing", "reason": "internal"}])


async def test_what_every_service_refuses_is_refused(stage: Stage) -> None:
    for service, path in SERVICES.items():
        stage[service].says(path, {"code": "wrong_principal"}, 403)

    answered = await stage.client.get(URL, headers=signed_in())

    assert (answered.status_code, answered.json()["code"]) == (403, "wrong_principal")
    assert answered.headers["content-type"] == "application/problem+json"


async def test_where_no_service_says_anything_it_is_an_outage(stage: Stage) -> None:
    for service, path in SERVICES.items():
        stage[service].says(path, {"code": "internal"}, 500)

    assert (await stage.client.get(URL, headers=signed_in())).json()["code"] == "upstream_unavailable"
    assert (await stage.client.get(URL)).status_code == 401
