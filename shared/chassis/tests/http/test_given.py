"""A function is given the same whether its parameters were looked at once, at the start, or anew for each request."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Query, Request
from starlette.responses import Response

from chassis.health import Health
from chassis.http import failures
from chassis.http.app import build
from chassis.http.given import Given
from chassis.http.lists import ListQuery
from chassis.http.text import Text
from chassis.tokens import bearer

HOUSE = "0198f4b2-7c11-7b5e-9d3a-2f6b1c0a9e77"

RIGHT = ["", "q=bay", "q=", "status=open&limit=7", f"owner={HOUSE}", "since=2026-01-01T00:00:00Z", "q=a%20b&sort=-name", "q=%C3%9C"]
WRONG = ["limit=0", "status=lost", "owner=7", "colour=red", "q=a%00b", "limit=1&limit=2", "colours=red&colours=blue", "colours=red"]


class HousesQuery(ListQuery):
    q: Annotated[str, Text(20)] | None = None
    status: Literal["open", "shut"] | None = None
    owner: UUID | None = None
    since: datetime | None = None
    colours: list[str] | None = None


async def _caller(request: Request) -> str:
    return bearer(request.headers.get("authorization"))


Caller = Annotated[str, Depends(_caller)]


async def find(house: UUID, query: Annotated[HousesQuery, Query()], caller: Caller) -> Response:
    return Response(f"{house!r} {query!r} {caller}")


async def shut(house: UUID, request: Request) -> Response:
    return Response(f"{house!r} {request.method}")


async def said(caller: Caller) -> str:
    return caller


def a_router() -> APIRouter:
    router = APIRouter(prefix="/v1/houses", tags=["houses"])
    router.add_api_route("/{house}", find, methods=["GET"])
    router.add_api_route("/{house}/shut", shut, methods=["POST"])
    router.add_api_route("/{house}/said", said, methods=["GET"])
    return router


@pytest.fixture
async def ours() -> AsyncIterator[httpx.AsyncClient]:
    app = build(title="Houses", routers=[a_router()], health=Health())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://houses") as client:
        yield client


@pytest.fixture
async def frameworks() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    failures.handle(app)
    app.include_router(a_router())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://houses") as client:
        yield client


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer ada"}], ids=["stranger", "signed in"])
@pytest.mark.parametrize("query", [*RIGHT, *WRONG])
@pytest.mark.parametrize("house", [HOUSE, HOUSE.upper(), "7"])
async def test_an_answer_is_the_frameworks_own(
    ours: httpx.AsyncClient, frameworks: httpx.AsyncClient, house: str, query: str, headers: dict[str, str]
) -> None:
    mine, its = [await client.get(f"/v1/houses/{house}?{query}", headers=headers) for client in (ours, frameworks)]

    assert (mine.status_code, _told(mine)) == (its.status_code, _told(its))


async def test_what_only_the_framework_can_give_or_send_it_does(ours: httpx.AsyncClient) -> None:
    assert (await ours.post(f"/v1/houses/{HOUSE}/shut")).text == f"{UUID(HOUSE)!r} POST"
    assert (await ours.get(f"/v1/houses/{HOUSE}/said", headers={"authorization": "Bearer ada"})).json() == "ada"
    assert Given.of(shut, frozenset({"house"})) is None
    assert Given.of(said, frozenset()) is None


@pytest.mark.parametrize("query", RIGHT)
def test_the_framework_is_not_needed_where_all_is_as_it_should_be(query: str) -> None:
    given = Given.of(find, frozenset({"house"}))
    assert given is not None

    values = given.read({"house": HOUSE}, query.encode())

    assert (values is None) == (query == "q=")


@pytest.mark.parametrize("query", WRONG)
def test_the_framework_has_the_last_word_on_what_is_not(query: str) -> None:
    given = Given.of(find, frozenset({"house"}))
    assert given is not None

    assert given.read({"house": HOUSE}, query.encode()) is None


def _told(answer: httpx.Response) -> object:
    """What was answered, but for what tells one request from another."""
    if not answer.headers.get("content-type", "").startswith("application/"):
        return answer.text
    return {name: value for name, value in answer.json().items() if name != "request_id"}
