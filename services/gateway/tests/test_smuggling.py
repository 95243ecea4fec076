"""What two parsers could read differently is refused at the door, and no bytes of one request become another."""

import asyncio
import re

import pytest
from gateway_stage import Stage, a_token

from gateway import protocol

TOKEN = b"a-token-made-when-it-is-sent"
SIGNED_IN = b"Host: x\r\nAuthorization: Bearer " + TOKEN + b"\r\n"
TAIL = b"0\r\n\r\nGET /v1/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"


def request(line: bytes, headers: bytes = b"", body: bytes = b"", connection: bytes = b"close") -> bytes:
    return line + b" HTTP/1.1\r\n" + SIGNED_IN + b"Connection: " + connection + b"\r\n" + headers + b"\r\n" + body


REFUSED = {
    "absolute form": (request(b"GET http://evil.example/v1/customers"), 400),
    "absolute form with dots": (request(b"GET http://evil.example/v1/../x"), 400),
    "authority form": (request(b"CONNECT evil.example:443"), 400),
    "CONNECT with a path": (request(b"CONNECT /v1/customers"), 405),
    "asterisk": (request(b"OPTIONS *"), 400),
    "TRACE": (request(b"TRACE /v1/customers"), 405),
    "dots": (request(b"GET /v1/customers/../users"), 400),
    "encoded dots": (request(b"GET /v1/customers/%2e%2e/users"), 400),
    "half encoded dots": (request(b"GET /v1/customers/.%2E/users"), 400),
    "encoded slash": (request(b"GET /v1/customers%2Fusers"), 400),
    "backslash": (request(b"GET /v1\\customers"), 400),
    "two slashes": (request(b"GET //evil.example/v1/customers"), 400),
    "NUL": (request(b"GET /v1/customers%00"), 400),
    "bytes in the query": (request(b"GET /v1/customers?q=\xc3\xa4"), 400),
    "underscore in a name": (request(b"GET /v1/customers", b"Content_Length: 5\r\n"), 400),
    "two tokens": (request(b"GET /v1/customers", b"Authorization: Bearer x\r\n"), 400),
    "large head": (request(b"GET /v1/customers", b"x: " + b"y" * 17_000 + b"\r\n"), 431),
    "length and chunks": (request(b"POST /v1/customers", b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n", TAIL), 400),
    "chunks and length": (request(b"POST /v1/customers", b"Transfer-Encoding: chunked\r\nContent-Length: 6\r\n", TAIL), 400),
    "two lengths": (request(b"POST /v1/customers", b"Content-Length: 6\r\nContent-Length: 5\r\n", TAIL), 400),
    "negative length": (request(b"POST /v1/customers", b"Content-Length: -1\r\n", TAIL), 400),
    "length with a sign": (request(b"POST /v1/customers", b"Content-Length: +6\r\n", TAIL), 400),
    "unknown coding": (request(b"POST /v1/customers", b"Transfer-Encoding: xchunked\r\n", TAIL), 400),
    "coding after chunks": (request(b"POST /v1/customers", b"Transfer-Encoding: chunked, identity\r\n", TAIL), 400),
    "space before the colon": (request(b"POST /v1/customers", b"Transfer-Encoding : chunked\r\n", TAIL), 400),
    "folded line": (request(b"POST /v1/customers", b"X: a\r\n Transfer-Encoding: chunked\r\n", TAIL), 400),
    "bare CR": (request(b"GET /v1/customers", b"X: a\rY: b\r\n"), 400),
    "NUL in a value": (request(b"GET /v1/customers", b"X: a\x00b\r\n"), 400),
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
}


async def send(stage: Stage, request: bytes) -> bytes:
    """What comes back for these bytes, sent as they are but for a token that is good now."""
    return await stage.raw(request.replace(TOKEN, a_token().encode()))


def reached(stage: Stage) -> list[str]:
    """The requests that a service was sent to their end."""
    return [asked.target for service in stage.services.values() for asked in service.asked if asked.target != "/.well-known/jwks.json"]


@pytest.mark.parametrize("name", REFUSED)
async def test_an_ambiguous_request_is_refused_and_reaches_nobody(stage: Stage, name: str) -> None:
    sent, status = REFUSED[name]
    said = await send(stage, sent)

    assert re.findall(rb"HTTP/1.1 (\d+)", said)[:1] == [str(status).encode()], said
    assert b"application/problem+json" in said
    assert reached(stage) == []


async def test_requests_in_a_row_on_one_connection_stay_apart(stage: Stage) -> None:
    two = request(b"POST /v1/customers", b"Content-Length: 5\r\n", b"hello", b"keep-alive") + request(b"GET /v1/users")
    said = await send(stage, two)

    asked = [(one.method, one.target, one.body) for one in stage["customers"].asked if one.target != "/.well-known/jwks.json"]
    assert said.count(b"HTTP/1.1 200") == 2
    assert asked == [("POST", "/v1/customers", b"hello"), ("GET", "/v1/users", b"")]


async def test_chunks_are_framed_anew(stage: Stage) -> None:
    chunks = b"5;ext=1\r\nhello\r\n3\r\n...\r\n0\r\nX-Trailer: evil\r\n\r\n"
    said = await send(stage, request(b"POST /v1/customers", b"Transfer-Encoding: chunked\r\n", chunks))

    assert said.startswith(b"HTTP/1.1 200")
    (asked,) = stage["customers"].asked[-1:]
    assert (asked.body, asked.header("x-trailer")) == (b"hello...", None)


async def test_a_trailer_is_no_header(stage: Stage) -> None:
    late = b"0\r\nAuthorization: Bearer " + TOKEN + b"\r\nPartnerdeck-Internal-Principal: operator\r\n\r\n"
    sent = b"POST /v1/customers HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + late

    assert (await send(stage, sent)).startswith(b"HTTP/1.1 401")


@pytest.mark.parametrize("size", [b"0x5", b"-5", b"5 5", b"", b"fffffffffffffffff"])
async def test_a_body_whose_chunks_are_none_never_ends_for_the_service(stage: Stage, size: bytes) -> None:
    said = await send(stage, request(b"POST /v1/customers", b"Transfer-Encoding: chunked\r\n", size + b"\r\nhello\r\n" + TAIL))

    assert b" 200 " not in said
    assert reached(stage) == []


async def test_a_head_without_end_is_cut_off(stage: Stage) -> None:
    said = await send(stage, b"GET /v1/customers HTTP/1.1\r\n" + b"".join(b"x%d: y\r\n" % number for number in range(6000)))

    assert said.startswith(b"HTTP/1.1 431")
    assert b"head_too_large" in said


async def test_a_head_that_drips_in_is_not_waited_for(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.3)
    half = await send(stage, b"GET /v1/customers HTTP/1.1\r\nhost")
    nothing = await send(stage, b"")

    assert half.startswith(b"HTTP/1.1 408")
    assert nothing == b""


async def test_a_silent_connection_is_closed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)

    assert await asyncio.wait_for(reader.read(), 5) == b""
    writer.close()


async def test_trailers_are_not_kept_and_have_an_end(stage: Stage) -> None:
    """Behind the last chunk as many may come as fit; more are refused before they fill the memory."""
    head = b"POST /v1/sessions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"
    _, writer = await asyncio.open_connection("127.0.0.1", stage.port)
    writer.write(head)
    sent = 0
    try:
        while sent < 64 * protocol.MOST_BESIDE:
            writer.write(b"x-trailer: " + b"y" * 1000 + b"\r\n")
            sent += 1000
            await writer.drain()
            await asyncio.sleep(0)
    except ConnectionError:
        pass
    writer.close()

    assert sent < 64 * protocol.MOST_BESIDE
    (small,) = re.findall(rb"HTTP/1.1 (\d+)", await stage.raw(head + b"x-trailer: y\r\n\r\n"))
    assert small == b"200"
