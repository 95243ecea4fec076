"""The protocol below ASGI: what must be refused before a request is one.

uvicorn's parser reads ``GET http://other/x`` as a plain path, begins requests whose framing it
then refuses, adds trailers to the headers behind everybody's back, waits for a head for ever and
lets it grow without bound. Here a target keeps the form it was sent in, so that the limits see
it, framing is one plain length or one plain ``chunked``, trailers are dropped as they come, what is
neither head nor body is bounded, and a head has ten seconds and 32 KiB.
"""

import asyncio
from typing import Any, Final

import msgspec

from chassis.http.joining import JoiningProtocol

HEAD_SECONDS: Final = 10.0
MOST_HEAD: Final = 32 * 1024
MOST_BESIDE: Final = 128 * 1024
"""Bytes of a request that are neither its head nor its body nor frame it: trailers, extensions of chunks."""
FRAME: Final = 16
"""So many bytes may frame each byte of a body; where each is a chunk of its own, six do."""

_REASONS: Final = {400: b"Bad Request", 408: b"Request Timeout", 431: b"Request Header Fields Too Large"}


class Protocol(JoiningProtocol):
    """One connection."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._waiting: asyncio.TimerHandle | None = None
        self._unfinished = 0
        self._body = 0
        self._beside = 0
        self._in_head = False
        self._begun = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        before = self._body
        super().data_received(data)
        if self.transport.is_closing():
            return
        self._unfinished = self._unfinished + len(data) if self._in_head else 0
        self._beside = 0 if self._in_head else self._beside + max(len(data) - FRAME * (self._body - before), 0)
        if self._unfinished > MOST_HEAD or self._beside > MOST_BESIDE:
            self._refuse(431, "head_too_large", "The headers are too large.", "Send fewer and shorter headers.")
        elif self._in_head or self._idle:
            self._wait()

    def on_message_begin(self) -> None:
        self._in_head = True
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        self._body += len(body)
        super().on_body(body)

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._beside = 0
        self._stop_waiting()
        _check_framing(self.headers)
        super().on_headers_complete()
        self._begun = True
        self.headers = []
        if not self.url.startswith(b"/"):
            self.scope["raw_path"] = self.url

    def _unsupported_upgrade_warning(self) -> None:
        """An upgrade that is not offered is no news: the request is answered without it."""

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 (uvicorn's own words, not ours)
        self._refuse(400, "malformed_request", "The request cannot be read.", "Send well-formed HTTP/1.1.")

    @property
    def _idle(self) -> bool:
        """No request is being answered."""
        return not self._begun or self.cycle.response_complete

    def _wait(self) -> None:
        if self._waiting is None:
            self._waiting = asyncio.get_running_loop().call_later(HEAD_SECONDS, self._too_slow)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _too_slow(self) -> None:
        self._waiting = None
        if self._in_head:
            self._refuse(408, "head_too_slow", "The request's head did not arrive in time.", "Send it at once.")
        else:
            self.transport.close()

    def _refuse(self, status: int, code: str, title: str, remedy: str) -> None:
        """Answer without anybody behind, and close: where the next request would begin is not known."""
        if self.transport.is_closing():
            return
        if self._idle:
            problem = {"type": f"urn:partnerdeck:problem:{code}", "title": title, "status": status, "detail": title, "instance": None}
            unknown: dict[str, Any] = {"rule": None, "policy_version": None, "request_id": None, "errors": []}
            body = msgspec.json.encode(problem | {"code": code, "remedy": remedy} | unknown)
            head = b"HTTP/1.1 %d %b\r\ncontent-type: application/problem+json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
            self.transport.write(head % (status, _REASONS[status], len(body)) + body)
        self.transport.close()


def _check_framing(headers: list[tuple[bytes, bytes]]) -> None:
    """Raises ValueError, which the parser turns into a 400, unless everybody would find the same end of the body."""
    codings = [value for name, value in headers if name == b"transfer-encoding"]
    if codings and (codings != [b"chunked"] or any(name == b"content-length" for name, _ in headers)):
        raise ValueError("the framing of the body is ambiguous")
