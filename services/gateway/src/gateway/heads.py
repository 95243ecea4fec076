"""Heads: which headers cross the gateway, in either direction.

What is said about a connection ends with that connection. What a caller could pretend
(addresses, internal names, an id or a trace that is none) is taken out and said by the gateway.
"""

from collections.abc import Iterable
from random import Random
from typing import Final

from starlette.types import Scope

from chassis.http import correlation

type Pairs = Iterable[tuple[bytes, bytes]]

_random: Final = Random()  # noqa: S311 (names a trace, guards nothing)

_CONNECTION: Final = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authentication-info",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
_NOT_IN: Final = _CONNECTION | {
    b"host",
    b"content-length",
    b"expect",
    b"forwarded",
    b"via",
    b"x-real-ip",
    b"x-original-url",
    b"x-rewrite-url",
    b"x-http-method-override",
    b"x-request-id",
    b"traceparent",
}
_PRETENDED: Final = (b"x-forwarded-", b"partnerdeck-internal-")
_NOT_OUT: Final = _CONNECTION | {b"date", b"server", b"x-request-id"}

NO_SNIFFING: Final = (b"x-content-type-options", b"nosniff")
NOT_STORED: Final = (b"cache-control", b"no-store")


def inward(scope: Scope) -> list[tuple[str, str]]:
    """The headers that a service is sent: the caller's own, and who asks in which request."""
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    named = _named_by_connection(headers)
    passed = [
        (name.decode("latin-1"), value.decode("latin-1"))
        for name, value in headers
        if name not in _NOT_IN and name not in named and not name.startswith(_PRETENDED)
    ]
    return passed + correlated() + [("x-forwarded-for", address(scope))]


def outward(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """The headers that the caller is sent. Nobody keeps an answer unless the service says so."""
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    named = _named_by_connection(pairs)
    passed = [pair for pair in pairs if pair[0] not in _NOT_OUT and pair[0] not in named]
    if not any(name == b"cache-control" for name, _ in passed):
        passed.append(NOT_STORED)
    passed.append(NO_SNIFFING)
    return passed


def correlated() -> list[tuple[str, str]]:
    """The request's id and its trace; a caller who began no trace is given one."""
    now = correlation.current()
    trace = (now.traceparent if now else None) or f"00-{_random.getrandbits(128):032x}-{_random.getrandbits(64):016x}-00"
    return [("traceparent", trace)] + ([("x-request-id", now.request_id)] if now else [])


def first(scope: Scope, name: bytes) -> str | None:
    """A header's value, the first where it is said twice."""
    return next((value.decode("latin-1") for said, value in scope["headers"] if said == name), None)


def address(scope: Scope) -> str:
    """Who is at the other end of the connection."""
    client: tuple[str, int] | None = scope.get("client")
    return client[0] if client else "unknown"


def _named_by_connection(headers: Pairs) -> frozenset[bytes]:
    """RFC 9110, 7.6.1: ``Connection`` names further headers that end with the connection."""
    said = [value for name, value in headers if name == b"connection"]
    return frozenset(name.strip().lower() for value in said for name in value.split(b",")) if said else frozenset()
