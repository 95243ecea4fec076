"""However many routers a service has, a request is answered by the one that has its path, as if each had been asked."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import APIRouter

from chassis.health import Health
from chassis.http.app import build


def a_router(prefix: str, *paths: str) -> APIRouter:
    router = APIRouter(prefix=prefix, tags=[prefix])

    async def answer() -> str:
        return prefix

    for path in paths:
        router.add_api_route(path, answer, methods=["GET"], name=path)
    return router


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    routers = [a_router("/v1/houses", "", "/{house}"), a_router("/v1", "/houses/{house}/rooms", "/gardens"), a_router("/v1/sheds", "")]
    app = build(title="Houses", routers=routers, health=Health())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://houses") as client:
        yield client


@pytest.mark.parametrize(
    ("path", "router"),
    [
        ("/v1/houses", "/v1/houses"),
        ("/v1/houses/7", "/v1/houses"),
        ("/v1/houses/7/rooms", "/v1"),
        ("/v1/gardens", "/v1"),
        ("/v1/sheds", "/v1/sheds"),
    ],
)
async def test_the_router_with_the_path_answers(client: httpx.AsyncClient, path: str, router: str) -> None:
    assert (await client.get(path)).json() == router


@pytest.mark.parametrize("path", ["/v1/houses/7/roofs", "/v1/sheds/7", "/v1/barns", "/v1", "/", "/houses"])
async def test_what_nobody_has_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)

    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_path")


@pytest.mark.parametrize("path", ["/v1/houses", "/v1/houses/7/rooms", "/v1/sheds"])
async def test_a_method_that_a_path_does_not_take_is_refused(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.delete(path)

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


async def test_the_rails_are_found_too(client: httpx.AsyncClient) -> None:
    assert (await client.get("/health/live")).json() == {"live": True}
    assert (await client.get("/openapi.json")).is_success


def test_a_path_that_could_be_anybodys_is_refused_at_start() -> None:
    with pytest.raises(ValueError, match="anybody"):
        build(title="Houses", routers=[a_router("/v1", "/{anything}")], health=Health())
