"""What is forwarded arrives as it was sent, both ways, without what only the gateway may say."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from gateway_stage import Stage, answer, body_of, signed_in
from starlette.types import Receive, Scope, Send

from chassis_testing.waiting import eventually


async def test_a_request_arrives_with_its_query_headers_and_body(stage: Stage) -> None:
    answered = await stage.client.post(
        "/v1/customers?q=a%20b&q=%C3%A4", json={"name": "Ada"}, headers=signed_in() | {"idempotency-key": "k1", "if-match": '"3"'}
    )

    (asked,) = stage["customers"].asked[-1:]
    assert (answered.status_code, answered.json()) == (200, {"service": "customers"})
    assert (asked.method, asked.target, asked.body) == ("POST", "/v1/customers?q=a%20b&q=%C3%A4", b'{"name":"Ada"}')
    assert (asked.header("idempotency-key"), asked.header("if-match"), asked.header("content-length")) == ("k1", '"3"', "14")


@pytest.mark.parametrize("status", [201, 204, 304, 404, 422, 500])
async def test_whatever_a_service_answers_is_the_answer(stage: Stage, status: int) -> None:
    async def refuse(_: Scope, receive: Receive, send: Send) -> None:
        await body_of(receive)
        body = b"" if status in {204, 304} else b'{"code":"x"}'
        headers = [(b"etag", b'"7"'), (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"), (b"location", b"/v1/offers/1")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    stage["licensing"].handlers["/v1/offers"] = refuse
    answered = await stage.client.get("/v1/offers", headers=signed_in())

    assert answered.status_code == status
    assert (answered.headers["etag"], answered.headers["location"]) == ('"7"', "/v1/offers/1")
    assert answered.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert answered.content == (b"" if status in {204, 304} else b'{"code":"x"}')


async def test_nobody_keeps_an_answer_unless_the_service_says_so(stage: Stage) -> None:
    async def kept(_: Scope, __: Receive, send: Send) -> None:
        await answer(send, b"{}", headers=((b"cache-control", b"max-age=60"),))

    stage["licensing"].handlers["/v1/offers"] = kept
    offers, lines = [await stage.client.get(path, headers=signed_in()) for path in ("/v1/offers", "/v1/lines")]

    assert (offers.headers["cache-control"], lines.headers["cache-control"]) == ("max-age=60", "no-store")
    assert offers.headers["x-content-type-options"] == "nosniff"
    assert len(offers.headers.get_list("date")) == 1
    assert "server" not in offers.headers


PRETENDED = {
    "x-forwarded-for": "6.6.6.6",
    "x-forwarded-host": "evil.example",
    "forwarded": "for=6.6.6.6",
    "x-real-ip": "6.6.6.6",
    "partnerdeck-internal-principal": "operator",
    "x-http-method-override": "DELETE",
    "connection": "keep-alive, x-hop",
    "x-hop": "ends here",
    "te": "trailers",
    "proxy-authorization": "Basic eA==",
    "upgrade": "websocket",
    "x-request-id": "bad id",
    "traceparent": "none",
}


async def test_what_a_caller_could_pretend_does_not_arrive(stage: Stage) -> None:
    await stage.client.get("/v1/customers", headers=signed_in() | PRETENDED | {"partnerdeck-acting-as": "kept"})

    (asked,) = stage["customers"].asked[-1:]
    names = {name for name, _ in asked.headers}
    assert names & set(PRETENDED) <= {"x-forwarded-for", "x-request-id", "traceparent"}
    assert (asked.header("x-forwarded-for"), asked.header("partnerdeck-acting-as")) == ("127.0.0.1", "kept")
    assert asked.header("host") == f"127.0.0.1:{stage['customers'].port}"
    assert "bad id" not in str(asked.headers)


async def test_one_id_and_one_trace_go_with_a_request_all_the_way(stage: Stage) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    given = await stage.client.get("/v1/customers", headers=signed_in() | {"x-request-id": "mine-1", "traceparent": trace})
    made = await stage.client.get("/v1/customers", headers=signed_in())

    first, second = stage["customers"].asked[-2:]
    assert (given.headers.get_list("x-request-id"), first.header("x-request-id"), first.header("traceparent")) == (
        ["mine-1"],
        "mine-1",
        trace,
    )
    assert made.headers["x-request-id"] == second.header("x-request-id")
    assert (second.header("traceparent") or "").startswith("00-")


async def test_an_answer_is_streamed_as_it_is_made(stage: Stage) -> None:
    go_on = asyncio.Event()

    async def slowly(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"first", "more_body": True})
        await go_on.wait()
        await send({"type": "http.response.body", "body": b"last"})

    stage["licensing"].handlers["/v1/lines"] = slowly
    async with stage.client.stream("GET", "/v1/lines", headers=signed_in()) as answered:
        parts = answered.aiter_raw()
        first = await anext(parts)
        go_on.set()
        rest = b"".join([part async for part in parts])

    assert (first, rest) == (b"first", b"last")


async def test_a_large_body_is_streamed_as_it_comes(stage: Stage) -> None:
    arrived = asyncio.Event()

    async def take(_: Scope, receive: Receive, send: Send) -> None:
        first = await receive()
        arrived.set()
        await answer(send, {"length": len(first["body"]) + len(await body_of(receive))})

    async def parts() -> AsyncIterator[bytes]:
        yield b"x" * 1000
        await asyncio.wait_for(arrived.wait(), 5)
        yield b"y" * 200_000

    stage["customers"].handlers["/v1/customers"] = take
    counted = await stage.client.post("/v1/customers", content=parts(), headers=signed_in())
    arrived.clear()
    sized = await stage.client.post("/v1/customers", content=parts(), headers=signed_in() | {"content-length": "201000"})

    assert (counted.json(), sized.json()) == ({"length": 201_000}, {"length": 201_000})
    assert (stage["customers"].asked[-1].header("content-length"), stage["customers"].asked[-2].header("content-length")) == (
        "201000",
        None,
    )


async def test_a_body_over_the_limit_is_refused_wherever_it_ends(stage: Stage) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 100_000

    declared = await stage.client.post("/v1/customers", content=b"x" * 2_000_000, headers=signed_in())
    streamed = await stage.client.post("/v1/customers", content=parts(), headers=signed_in())

    for answered in (declared, streamed):
        assert (answered.status_code, answered.json()["code"]) == (413, "body_too_large")


async def test_a_service_is_not_kept_working_for_a_caller_who_left(stage: Stage) -> None:
    left = asyncio.Event()
    begun = asyncio.Event()

    async def endless(_: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        begun.set()
        while (await receive())["type"] != "http.disconnect":
            pass
        left.set()

    stage["reporting"].handlers["/v1/customer-overview"] = endless
    async with stage.client.stream("GET", "/v1/customer-overview", headers=signed_in()):
        await begun.wait()
    await asyncio.wait_for(left.wait(), 5)


async def test_an_upload_that_its_sender_gives_up_ends_for_the_service_too(stage: Stage) -> None:
    left = asyncio.Event()

    async def take(_: Scope, receive: Receive, __: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        left.set()

    stage["customers"].handlers["/v1/customers"] = take
    head = f"POST /v1/customers HTTP/1.1\r\nhost: x\r\ncontent-length: 500000\r\nauthorization: {signed_in()['authorization']}\r\n\r\n"
    _, writer = await asyncio.open_connection("127.0.0.1", stage.port)
    writer.write(head.encode() + b"x" * 100_000)
    await writer.drain()

    async def asked() -> bool:
        return bool(stage["customers"].asked and stage["customers"].asked[-1].method == "POST")

    await eventually(asked)
    writer.close()
    await asyncio.wait_for(left.wait(), 5)


async def test_an_answer_that_breaks_off_before_its_first_byte_is_a_problem(stage: Stage) -> None:
    async def nothing(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]})
        raise ConnectionAbortedError

    stage["licensing"].handlers["/v1/lines"] = nothing
    answered = await stage.client.get("/v1/lines", headers=signed_in())

    assert (answered.status_code, answered.json()["code"]) == (503, "upstream_unavailable")


async def test_an_answer_that_breaks_off_breaks_off_for_the_caller(stage: Stage) -> None:
    async def half(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise ConnectionAbortedError

    stage["licensing"].handlers["/v1/lines"] = half

    with pytest.raises(httpx.RemoteProtocolError):
        await stage.client.get("/v1/lines", headers=signed_in())
