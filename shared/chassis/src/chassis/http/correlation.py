"""What ties everything that one request causes together: its id and its trace.

Both are known before anything else happens, stand in every log line, and the id goes back
with every answer, refusals included. One line is logged per request, with the path's
template besides the path, unless that holds what none of our paths do, and without the query:
both may name people.
"""

import re
import time
from contextvars import ContextVar
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis import logs, metrics, tracing
from chassis.ids import new_id_as_text

log = structlog.get_logger(__name__)

REQUEST_ID: Final = "x-request-id"
_SANE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_OURS: Final = re.compile(r"[A-Za-z0-9/._-]{0,200}")
_QUIET: Final = ("/health/", "/metrics")


@dataclass(frozen=True, slots=True)
class Correlation:
    """``scope`` is the request itself, once it is under way."""

    request_id: str
    traceparent: str | None = None
    scope: Scope | None = None

    @property
    def operation(self) -> str:
        """What was asked for, as the OpenAPI document names it: ``customers_create``."""
        return operation(self.scope) if self.scope else "unnamed"

    @property
    def address(self) -> str | None:
        """Where the caller is, as the door says; None where it says nothing that is an address."""
        return address(self.scope) if self.scope else None


_current: ContextVar[Correlation | None] = ContextVar("correlation", default=None)


def current() -> Correlation | None:
    """The correlation of the request in hand; None outside of one."""
    return _current.get()


class Correlated:
    """ASGI: gives a request its id, measures it and logs its end."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id, traceparent = _read(scope)
        if scope["path"].startswith(_QUIET):
            await self._answer(scope, receive, send, Correlation(request_id, traceparent))
            return
        with tracing.segment(scope["method"], parent=traceparent, kind="server") as segment:
            request = await self._answer(scope, receive, send, Correlation(request_id, segment.traceparent, scope))
            about = {"http.request.method": scope["method"], "http.route": request.route, "http.response.status_code": request.status}
            segment.conclude(f"{scope['method']} {request.route}", about, failed=request.status >= 500)  # noqa: PLR2004

    async def _answer(self, scope: Scope, receive: Receive, send: Send, correlation: Correlation) -> "_Watched":
        token = _current.set(correlation)
        trace = {"trace_id": tracing.trace_of(correlation.traceparent)} if correlation.traceparent else {}
        logs.begin(request_id=correlation.request_id, **trace)
        request = _Watched(send, correlation.request_id.encode())
        metrics.IN_HAND.inc()
        begun = time.perf_counter()
        try:
            await self._app(scope, receive, request.send)
        finally:
            request.conclude(scope, time.perf_counter() - begun)
            metrics.IN_HAND.dec()
            logs.begin()
            _current.reset(token)
        return request


class _Watched:
    """Adds the request's id to the answer and remembers its status; 499 when there was none."""

    def __init__(self, send: Send, request_id: bytes) -> None:
        self._send = send
        self._request_id = request_id
        self.status = 499
        self.route = "unmatched"

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), (b"x-request-id", self._request_id)]
        await self._send(message)

    def conclude(self, scope: Scope, seconds: float) -> None:
        """Count it, and say that it was answered."""
        self.route = template(scope)
        metrics.observe_request(scope["method"], self.route, self.status, seconds)
        path: str = scope["path"]
        if not path.startswith(_QUIET):
            said = path if _OURS.fullmatch(path) else None
            took = round(seconds * 1e3, 2)
            log.info("request_answered", method=scope["method"], path=said, route=self.route, status=self.status, milliseconds=took)


def template(scope: Scope) -> str:
    """The path's template, ``/v1/customers/{customer_id}``; ``unmatched`` when no route took the request."""
    effective: Any = scope.get("fastapi", {}).get("effective_route_context")
    route = effective or scope.get("route")
    return str(getattr(route, "path_format", None) or getattr(route, "path", "unmatched"))


def operation(scope: Scope) -> str:
    """The id of the operation that took the request; ``unmatched`` when none did."""
    effective: Any = scope.get("fastapi", {}).get("effective_route_context")
    route = effective or scope.get("route")
    return str(getattr(route, "operation_id", None) or getattr(route, "unique_id", "unmatched"))


def address(scope: Scope) -> str | None:
    said = next((value for name, value in scope["headers"] if name == b"x-forwarded-for"), b"").decode("latin-1")
    try:
        return str(ip_address(said))
    except ValueError:
        return None


def _read(scope: Scope) -> tuple[str, str | None]:
    """The request's id and its traceparent: the caller's, where they are some."""
    request_id = traceparent = ""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            request_id = value.decode("latin-1")
        elif name == b"traceparent":
            traceparent = value.decode("latin-1")
    return (
        request_id if _SANE.fullmatch(request_id) else new_id_as_text(),
        traceparent if tracing.valid(traceparent) else None,
    )
