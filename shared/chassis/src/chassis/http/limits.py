"""Limits at the door: how large a request may be, what its target and head may hold, how long it may take.

Pure ASGI, before anything parses the request. What a parser would let through and somebody
behind it would read differently is refused here.
"""

import asyncio
import re
from dataclasses import dataclass
from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.http.problems import BODY_TOO_LARGE, Problem, other_methods

_UNCLEAR: Final = re.compile(rb"%(?:2f|5c|00)|\\", re.IGNORECASE)
_CONTROL: Final = re.compile("[\x00-\x1f\x7f]")
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SINGLE: Final = frozenset({b"authorization", b"content-length", b"content-type", b"host", b"idempotency-key", b"if-match"})

HEAD_TOO_LARGE: Final = Problem(
    status=431, code="head_too_large", title="The headers are too large.", remedy="Send fewer and shorter headers."
)
BAD_HEADER: Final = Problem(
    status=400,
    code="bad_header",
    title="A header is not acceptable.",
    remedy="Send each header once, with letters, digits and hyphens in its name.",
)
BAD_TARGET: Final = Problem(
    status=400, code="bad_target", title="The request's target is not acceptable.", remedy="Send a plain path without dot segments."
)
BAD_METHOD: Final = other_methods(*sorted(_METHODS))
TOOK_TOO_LONG: Final = Problem(
    status=503,
    code="took_too_long",
    title="The request took too long and was given up.",
    remedy="It may have taken effect: send it again with the same Idempotency-Key.",
    retry_after=1,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """``body`` and ``head`` are bytes; ``seconds`` is the time until the answer begins, and a stream may go on behind that."""

    body: int = 1024 * 1024
    head: int = 16 * 1024
    seconds: float = 30


class Limited:
    """ASGI: lets a request in, or answers why not."""

    def __init__(self, app: ASGIApp, bounds: Bounds | None = None) -> None:
        self._app = app
        self._bounds = bounds or Bounds()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif (problem := refused(scope, self._bounds)) is not None:
            await problem.answer(scope).send(send)
        else:
            await self._within(scope, receive, send)

    async def _within(self, scope: Scope, receive: Receive, send: Send) -> None:
        guarded = _Guarded(receive, send, self._bounds.body)
        try:
            async with asyncio.timeout(self._bounds.seconds) as guarded.deadline:
                await self._app(scope, guarded.receive, guarded.send)
        except TimeoutError:
            if not guarded.deadline.expired():
                raise
            guarded.problem = TOOK_TOO_LONG
        except HTTPException:
            if guarded.problem is None:
                raise
        if guarded.problem is not None and not guarded.begun:
            await guarded.problem.answer(scope).send(send)


class _Guarded:
    """One request's channels. Once its body was too large, no answer of the application goes out any more."""

    deadline: asyncio.Timeout

    def __init__(self, receive: Receive, send: Send, most: int) -> None:
        self._receive = receive
        self._send = send
        self._left = most
        self.problem: Problem | None = None
        self.begun = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                self.problem = BODY_TOO_LARGE
                raise HTTPException(BODY_TOO_LARGE.status)
        return message

    async def send(self, message: Message) -> None:
        if self.problem is not None and not self.begun:
            return
        if not self.begun:
            self.begun = True
            self.deadline.reschedule(None)
        await self._send(message)


def refused(scope: Scope, bounds: Bounds) -> Problem | None:
    """What is wrong with a request's head, if anything is. The gateway asks the same."""
    if scope["method"] not in _METHODS:
        return BAD_METHOD
    if not _plain(scope):
        return BAD_TARGET
    size, length, once, bad = len(scope.get("query_string", b"")), b"0", set[bytes](), False
    for name, value in scope["headers"]:
        size += len(name) + len(value) + 4
        bad = bad or b"_" in name or name in once
        if name in _SINGLE:
            once.add(name)
            length = value if name == b"content-length" else length
    if size > bounds.head:
        return HEAD_TOO_LARGE
    if bad or not length.isdigit():
        return BAD_HEADER
    return BODY_TOO_LARGE if int(length[:20]) > bounds.body else None


def _plain(scope: Scope) -> bool:
    path: str = scope["path"]
    raw: bytes = scope.get("raw_path") or b""
    if not path.startswith("/") or path.startswith("//") or (raw and not raw.startswith(b"/")):
        return False
    return not (_UNCLEAR.search(raw) or _CONTROL.search(path) or ("/." in path and {".", ".."} & set(path.split("/"))))
