"""Whatever is refused or fails, the caller gets one problem with a stable code, and nothing of the inside."""

import json
from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import httpx
import pytest
from fastapi import APIRouter
from pydantic import Field
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm.exc import StaleDataError

from chassis.errors import FieldError, Kind, Refusal
from chassis.health import Health
from chassis.http.app import build
from chassis.http.bodies import Body
from chassis.http.etags import IfMatchRequired
from chassis.http.text import Name
from chassis.tokens import TokenExpired, TokenMissing

SECRET = "host=10.1.2.3 password=hunter2"


class NoSeatsLeft(Refusal):
    """Every seat is taken."""

    kind = Kind.CONFLICT
    code = "no_seats_left"
    remedy = "Release a seat or buy more."
    rule = "LIC-14"


class TooFast(Refusal):
    """Too many requests."""

    kind = Kind.TOO_MANY
    code = "too_fast"
    remedy = "Wait."


class NotAcceptable(Refusal):
    """Something in the body cannot be accepted."""

    kind = Kind.INVALID
    code = "not_acceptable"
    remedy = "Correct what errors names."


class Size(StrEnum):
    SMALL = "small"


class Company(Body):
    name: Name


class House(Body):
    company: Company
    rooms: Annotated[int, Field(ge=1)]
    owner: UUID
    size: Size = Size.SMALL


RAISED: dict[str, Exception] = {
    "seats": NoSeatsLeft("12 of 12", seats=12, errors=[FieldError("/quantity", "too_many", "only 12")]),
    "mixed": NotAcceptable(errors=[NoSeatsLeft.at("/quantity", "12 of 12"), FieldError("/name", "too_long", "At most 200")]),
    "fast": TooFast(retry_after=7),
    "missing": TokenMissing(),
    "expired": TokenExpired(),
    "precondition": IfMatchRequired(),
    "stale": StaleDataError(SECRET),
    "locked": DBAPIError(SECRET, {}, asyncpg.LockNotAvailableError(SECRET)),
    "locked_raw": asyncpg.LockNotAvailableError(SECRET),
    "down": asyncpg.CannotConnectNowError(SECRET),
    "refused": ConnectionRefusedError(SECRET),
    "bug": KeyError(SECRET),
}
router = APIRouter(prefix="/v1/houses", tags=["houses"])


@router.post("")
async def create(body: House) -> dict[str, str]:
    return {"name": body.company.name}


@router.get("/{house_id}")
async def get(house_id: UUID, limit: Annotated[int, Field(ge=1, le=200)] = 50) -> dict[str, Any]:
    return {"id": str(house_id), "limit": limit}


@router.post("/raise/{what}")
async def provoke(what: str) -> None:
    raise RAISED[what]


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = build(title="Houses", routers=[router], health=Health())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://houses") as client:
        yield client


def house(**changes: Any) -> dict[str, Any]:
    return {"company": {"name": "Sunrise"}, "rooms": 3, "owner": "0190b0a0-0000-7000-8000-000000000001"} | changes


def errors(answer: httpx.Response) -> set[tuple[str, str]]:
    assert answer.status_code == 422, answer.text
    return {(error["pointer"], error["code"]) for error in answer.json()["errors"]}


async def test_each_error_of_a_mixed_refusal_keeps_its_rule_and_remedy(client: httpx.AsyncClient) -> None:
    """BEY-04."""
    answer = await client.post("/v1/houses/raise/mixed")

    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {
            "pointer": "/quantity",
            "code": "no_seats_left",
            "detail": "12 of 12",
            "rule": "LIC-14",
            "remedy": "Release a seat or buy more.",
        },
        {"pointer": "/name", "code": "too_long", "detail": "At most 200"},
    ]


async def test_a_refusal_says_why_by_which_rule_and_what_to_do(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/houses/raise/seats", headers={"x-request-id": "abc-1"})

    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:partnerdeck:problem:no_seats_left",
        "title": "Every seat is taken.",
        "status": 409,
        "detail": "12 of 12",
        "instance": "/v1/houses/raise/seats",
        "code": "no_seats_left",
        "remedy": "Release a seat or buy more.",
        "rule": "LIC-14",
        "policy_version": None,
        "request_id": "abc-1",
        "errors": [{"pointer": "/quantity", "code": "too_many", "detail": "only 12"}],
        "seats": 12,
    }


@pytest.mark.parametrize(
    ("what", "status", "code"),
    [
        ("fast", 429, "too_fast"),
        ("missing", 401, "token_missing"),
        ("precondition", 428, "if_match_required"),
        ("stale", 412, "stale"),
        ("locked", 409, "busy"),
        ("locked_raw", 409, "busy"),
        ("down", 503, "unavailable"),
        ("refused", 503, "unavailable"),
        ("bug", 500, "internal"),
    ],
)
async def test_every_failure_has_its_status_and_tells_nothing_of_the_inside(
    client: httpx.AsyncClient, what: str, status: int, code: str
) -> None:
    answer = await client.post(f"/v1/houses/raise/{what}")

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "hunter2" not in answer.text
    assert answer.headers["x-request-id"] == answer.json()["request_id"]


async def test_who_must_wait_is_told_how_long(client: httpx.AsyncClient) -> None:
    assert (await client.post("/v1/houses/raise/fast")).headers["retry-after"] == "7"


async def test_who_is_not_signed_in_is_challenged(client: httpx.AsyncClient) -> None:
    assert (await client.post("/v1/houses/raise/missing")).headers["www-authenticate"] == "Bearer"
    assert (await client.post("/v1/houses/raise/expired")).headers["www-authenticate"] == 'Bearer error="invalid_token"'


async def test_all_mistakes_of_a_body_are_named_at_once(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/houses", json={"company": {"name": " ", "a/b": 1}, "rooms": 0, "owner": "nobody", "size": "huge"})

    assert errors(answer) == {
        ("/company/name", "too_short"),
        ("/company/a~1b", "unknown_member"),
        ("/rooms", "out_of_range"),
        ("/owner", "malformed"),
        ("/size", "not_allowed"),
    }


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [({"rooms": "3"}, "/rooms"), ({"rooms": True}, "/rooms"), ({"rooms": 3.0}, "/rooms"), ({"owner": 7}, "/owner"), ({"size": 1}, "/size")],
)
async def test_a_number_is_no_text_and_a_text_no_number(client: httpx.AsyncClient, changes: dict[str, Any], pointer: str) -> None:
    assert errors(await client.post("/v1/houses", json=house(**changes))) == {(pointer, "wrong_type")}


@pytest.mark.parametrize(
    "body", [b"{", b"", b'{"rooms": 1e', b"[" * 5000, b"\xff\xfe\xfa", b'{"rooms": ' + b"9" * 5000 + b"}", b"null", b"3"]
)
async def test_a_body_that_is_no_json_is_refused(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post("/v1/houses", content=body, headers={"content-type": "application/json"})

    assert answer.status_code in {400, 422}
    assert answer.json()["code"] in {"malformed_body", "invalid"}


@pytest.mark.parametrize(("changes", "pointer"), [({"company": {"name": "\ud800"}}, "/company/name"), ({"\ud801": 1}, "")])
async def test_lone_surrogates_are_refused_wherever_they_stand(client: httpx.AsyncClient, changes: dict[str, Any], pointer: str) -> None:
    answer = await client.post("/v1/houses", content=json.dumps(house(**changes)), headers={"content-type": "application/json"})

    assert errors(answer) == {(pointer, "malformed")}


async def test_another_media_type_is_named_as_such(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/houses", content=b"<house/>", headers={"content-type": "text/xml"})

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


async def test_an_id_that_is_none_is_not_found(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/houses/17")).json()["code"] == "not_found"


async def test_a_wrong_parameter_is_named_with_its_place(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/houses/0190b0a0-0000-7000-8000-000000000001?limit=900")

    assert errors(answer) == {("query/limit", "out_of_range")}


async def test_a_path_or_method_that_is_not_there_is_a_problem_too(client: httpx.AsyncClient) -> None:
    nowhere, method = await client.get("/v1/nowhere"), await client.delete("/v1/houses")

    assert (nowhere.status_code, nowhere.json()["code"]) == (404, "no_such_path")
    assert (method.status_code, method.json()["code"], method.headers["allow"]) == (405, "method_not_allowed", "POST")
