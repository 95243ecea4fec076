"""One OpenAPI document says what all services can be asked, and every name in it means one thing."""

from collections.abc import Iterator
from typing import Any

import pytest
from gateway_stage import Stage

from contracts import published
from gateway import documents
from gateway.merging import merged
from gateway.table import POLICIES, PROFILE

INFO = {"title": "Partnerdeck", "version": "1"}


def an_operation(name: str, answer: str, **more: Any) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{answer}"}
    return {
        "operationId": name,
        "tags": ["things"],
        "responses": {"200": {"description": "", "content": {"application/json": {"schema": schema}}}},
        **more,
    }


def a_document(paths: dict[str, Any], **schemas: Any) -> dict[str, Any]:
    return {"openapi": "3.1.0", "info": {}, "paths": paths, "components": {"schemas": {"Problem": {"type": "object"}, **schemas}}}


def a_view(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value.removeprefix("#/components/schemas/")
            else:
                yield from references(value)
    elif isinstance(node, list):
        for item in node:
            yield from references(item)


CUSTOMERS = a_document(
    {
        "/v1/customers": {"get": an_operation("things_list", "Page")},
        "/v1/sessions": {"post": an_operation("sessions_begin", "View")},
        "/v1/customers/{customer_id}": {"get": an_operation("things_get", "View")},
        "/health/live": {"get": an_operation("live", "View")},
    },
    View=a_view(name={"type": "string"}),
    Page=a_view(items={"type": "array", "items": {"$ref": "#/components/schemas/View"}}),
)
LICENSING = a_document(
    {"/v1/offers": {"get": an_operation("things_list", "Page")}},
    View=a_view(code={"type": "string"}),
    Page=a_view(items={"type": "array", "items": {"$ref": "#/components/schemas/View"}}),
    Offer=a_view(price={"type": "string"}),
)
WHOLE = merged({"customers": CUSTOMERS, "licensing": LICENSING}, INFO)


def test_only_what_the_gateway_forwards_is_in_it() -> None:
    assert sorted(WHOLE["paths"]) == ["/v1/customers", "/v1/customers/{customer_id}", PROFILE, "/v1/offers", POLICIES, "/v1/sessions"]


def test_names_that_mean_different_things_are_told_apart_and_others_are_kept() -> None:
    schemas = WHOLE["components"]["schemas"]

    assert sorted(schemas) == ["CustomersPage", "CustomersView", "LicensingPage", "LicensingView", "Offer", "Problem"]
    assert schemas["LicensingPage"]["properties"]["items"]["items"] == {"$ref": "#/components/schemas/LicensingView"}
    assert set(references(WHOLE)) <= set(schemas)


def test_every_operation_has_its_service_as_tag_and_an_id_of_its_own() -> None:
    offers = WHOLE["paths"]["/v1/offers"]["get"]

    assert (offers["operationId"], offers["tags"]) == ("licensing_things_list", ["licensing", "things"])
    assert WHOLE["paths"]["/v1/customers/{customer_id}"]["get"]["operationId"] == "things_get"
    assert [tag["name"] for tag in WHOLE["tags"]] == ["customers", "licensing"]


def test_public_operations_ask_for_no_token_and_all_others_do() -> None:
    assert WHOLE["security"] == [{"token": []}]
    assert WHOLE["paths"]["/v1/sessions"]["post"]["security"] == []
    assert "security" not in WHOLE["paths"]["/v1/customers"]["get"]


def test_the_profile_is_described_by_its_parts() -> None:
    schema = WHOLE["paths"][PROFILE]["get"]["responses"]["200"]["content"]["application/json"]["schema"]

    assert schema["properties"]["customer"]["anyOf"][0] == {"$ref": "#/components/schemas/CustomersView"}


async def test_the_document_outlives_its_services(fresh_stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "FRESH", 0.0)
    fresh_stage["customers"].says("/openapi.json", CUSTOMERS)
    fresh_stage["licensing"].says("/openapi.json", LICENSING)
    before = await fresh_stage.client.get("/openapi.json")
    await fresh_stage["customers"].stop()
    after = await fresh_stage.client.get("/openapi.json")
    await fresh_stage["customers"].start()

    assert {"/v1/customers", "/v1/offers"} <= set(before.json()["paths"])
    assert after.json() == before.json()


async def test_services_are_asked_once_a_minute_however_many_want_it(fresh_stage: Stage) -> None:
    for _ in range(3):
        await fresh_stage.client.get("/openapi.json")

    assert [asked.target for asked in fresh_stage["licensing"].asked] == ["/openapi.json"]


async def test_the_event_catalogue_is_given_out_as_it_was_committed(stage: Stage) -> None:
    """BEY-01: the catalogue is served by the gateway."""
    answered = await stage.client.get("/events.json")

    assert answered.content == published.event_catalogue()
    assert answered.headers["content-type"] == "application/json"
    assert answered.json()["asyncapi"] == "3.0.0"
