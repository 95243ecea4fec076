"""The document names the headers that an operation reads, and no others."""

from typing import Annotated, Any

from fastapi import APIRouter
from starlette.responses import Response

from chassis.health import Health
from chassis.http import app
from chassis.http.calls import Call, allow

ALWAYS = {"Partnerdeck-Acting-As", "Partnerdeck-Consistency"}


def houses() -> APIRouter:
    router = APIRouter(prefix="/v1")

    @router.get("/houses/{number}")
    async def show(number: int, call: Annotated[Call, allow()]) -> Response:
        async with call.read():
            return call.answer(b"%d" % number)

    @router.post("/houses")
    async def build(call: Annotated[Call, allow()]) -> Response:
        async with call.change():
            return call.answer(b"")

    @router.put("/houses/{number}")
    async def paint(number: int, call: Annotated[Call, allow()]) -> Response:
        call.seen.admit(number)
        async with call.change():
            return call.answer(b"")

    @router.get("/map")
    async def unsigned() -> Response:
        return Response()

    return router


def headers(method: str, path: str) -> dict[str, bool]:
    """By name, and whether it must be sent."""
    document: dict[str, Any] = app.build(title="houses", routers=[houses()], health=Health([])).openapi()
    operation = document["paths"][f"/v1{path}"][method]
    return {one["name"]: one["required"] for one in operation.get("parameters", ()) if one["in"] == "header"}


def test_who_signs_in_may_act_as_another_and_wait_for_what_it_wrote() -> None:
    assert headers("get", "/houses/{number}") == dict.fromkeys(ALWAYS, False)
    assert headers("get", "/map") == {}


def test_a_change_by_post_takes_a_key() -> None:
    assert headers("post", "/houses") == dict.fromkeys({*ALWAYS, "Idempotency-Key"}, False)


def test_what_exists_already_is_changed_as_it_was_seen() -> None:
    assert headers("put", "/houses/{number}") == {**dict.fromkeys(ALWAYS, False), "If-Match": True}
