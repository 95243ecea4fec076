"""Forwarding: one request to its service and the answer back, as bytes, streamed both ways.

The request's framing is made anew from what was parsed, never copied, so that no two parsers
can read it differently. An answer that breaks off is broken off for the caller too.
"""

from collections.abc import AsyncIterator
from typing import Final

import structlog
from pyreqwest.exceptions import RequestError
from pyreqwest.response import Response
from starlette.types import Receive, Scope, Send

from gateway import heads
from gateway.leaving import CallerLeft, Leaving
from gateway.upstreams import Ask, Headers, Upstream

log = structlog.get_logger(__name__)

AT_ONCE: Final = 64 * 1024
"""A request's body up to this is sent in one piece."""
_UNKNOWN: Final = -1


class BrokenOff(Exception):
    """The answer had begun and cannot be completed."""


class Upload:
    """A body that is passed on as it comes."""

    def __init__(self, receive: Receive, leaving: Leaving) -> None:
        self._receive = receive
        self._leaving = leaving
        self.arrived = False
        """Whether the caller has sent all of it."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while not self.arrived:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise CallerLeft
            self.arrived = not message.get("more_body", False)
            if part := message.get("body", b""):
                yield part
        self._leaving.watch()


async def forward(upstream: Upstream, scope: Scope, receive: Receive, send: Send) -> None:
    """Forward a request.

    Raises:
        BrokenOff: the service's answer ended before its end.
    """
    async with Leaving(receive) as leaving:
        headers = heads.inward(scope)
        body = await _body(scope, receive, leaving, headers)
        ask = Ask(method=scope["method"], target=target(scope), headers=headers, body=body)
        async with upstream.asked(ask) as response:
            try:
                await _answer(response, send)
            except RequestError as broken:
                log.warning("answer_broke_off", upstream=upstream.name, failure=type(broken).__name__)
                raise BrokenOff from broken


def target(scope: Scope) -> str:
    """Path and query as they came."""
    path: bytes = scope["raw_path"]
    query: bytes = scope["query_string"]
    return (path + b"?" + query if query else path).decode("ascii")


async def _body(scope: Scope, receive: Receive, leaving: Leaving, headers: Headers) -> bytes | Upload | None:
    """The body in one piece where it is small, else as it comes."""
    length = heads.first(scope, b"content-length")
    if length is None and heads.first(scope, b"transfer-encoding") is None:
        leaving.watch()
        return None
    upload = Upload(receive, leaving)
    if length is None or int(length) > AT_ONCE:
        headers += [("content-length", length)] if length else []
        return upload
    return b"".join([part async for part in upload])


async def _answer(response: Response, send: Send) -> None:
    """Send the answer as it comes: head and first part in one write where a length says that there is one, and no wait for an end."""
    headers = heads.outward(response.headers.items())
    left = next((int(value) for name, value in headers if name == b"content-length"), 0) or _UNKNOWN
    read = response.body_reader.read_chunk
    chunk = await read() if left > 0 else None
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    if left == _UNKNOWN:
        chunk = await read()
    while chunk is not None:
        left -= len(chunk)
        await send({"type": "http.response.body", "body": chunk.to_bytes(), "more_body": left != 0})
        chunk = await read() if left else None
    if left:
        await send({"type": "http.response.body"})
