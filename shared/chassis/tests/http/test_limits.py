"""What is too large, too slow or two-faced is refused at the door, as a problem."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from chassis.http.limits import Bounds, Limited

BOUNDS = Bounds(body=100, head=1000, seconds=0.05)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["path"] == "/slow":
        await asyncio.sleep(5)
    if scope["path"] == "/stream":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(0.1)
        await send({"type": "http.response.body", "body": b"late"})
        return
    body = await Request(scope, receive).body()
    await Response(str(len(body)))(scope, receive, send)


async def stubborn(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers 400 whatever reading the body raises, as a framework may."""
    try:
        await Request(scope, receive).body()
    except Exception:  # noqa: BLE001
        await Response("bad", 400)(scope, receive, send)


def client_of(app: Any = application) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(Limited(app, BOUNDS)), base_url="http://houses")


async def ask(**changes: Any) -> tuple[int, bytes]:
    """One request as a server hands it over, without a client that would tidy it up."""
    sent = list[Message]()

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    path = changes.pop("path", "/v1/houses")
    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": []} | changes
    await Limited(application, BOUNDS)(scope, receive, send)
    return sent[0]["status"], sent[1]["body"]


async def test_a_request_within_its_bounds_passes() -> None:
    async with client_of() as client:
        assert (await client.post("/", content=b"x" * 100)).text == "100"


@pytest.mark.parametrize("app", [application, stubborn])
async def test_a_body_is_counted_as_it_comes_whatever_its_length_said(app: Any) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b"x" * 10

    async with client_of(app) as client:
        declared, streamed = await client.post("/", content=b"x" * 101), await client.post("/", content=chunks())

    for answer in (declared, streamed):
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


async def test_an_answer_that_does_not_begin_in_time_is_given_up() -> None:
    async with client_of() as client:
        answer = await client.get("/slow")

    assert (answer.status_code, answer.json()["code"]) == (503, "took_too_long")
    assert answer.headers["retry-after"] == "1"


async def test_an_answer_that_has_begun_may_go_on() -> None:
    async with client_of() as client:
        assert (await client.get("/stream")).text == "late"


@pytest.mark.parametrize("path", ["/v1/../secret", "/v1/./x", "//x", "http://other/x", "*", "other:443", "/a\x00b", "/a\nb"])
async def test_a_target_that_two_may_read_differently_is_refused(path: str) -> None:
    status, body = await ask(path=path)

    assert (status, b'"bad_target"' in body) == (400, True)


@pytest.mark.parametrize("raw", [b"/v1%2Fx", b"/v1%5cx", b"/v1\\x", b"/v1%00"])
async def test_an_encoded_slash_is_refused(raw: bytes) -> None:
    assert (await ask(raw_path=raw))[0] == 400


async def test_a_method_nobody_takes_is_refused() -> None:
    assert (await ask(method="CONNECT"))[0] == 405
    assert (await ask(method="TRACE"))[0] == 405


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([(b"x", b"y" * 1000)], 431),
        ([(b"x_partner", b"1")], 400),
        ([(b"authorization", b"a"), (b"authorization", b"b")], 400),
        ([(b"content-length", b"1_0")], 400),
        ([(b"content-length", b"9" * 40)], 413),
        ([(b"accept", b"a"), (b"accept", b"b")], 200),
    ],
)
async def test_heads_are_bounded_and_unambiguous(headers: list[tuple[bytes, bytes]], status: int) -> None:
    assert (await ask(headers=headers))[0] == status
