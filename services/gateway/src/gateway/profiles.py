"""A customer's profile: what several services know about one customer, asked for at once.

Every part is asked with the caller's own token, so each service decides by itself what the
caller may see. One deadline holds for all; a part that is late, down or refused is named as
missing. Only what customers refuses (no such customer, no right) is the whole profile's answer.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import msgspec
from pyreqwest.exceptions import RequestError
from starlette.types import Scope

from chassis.errors import Refusal
from chassis.http.answers import Answer
from chassis.http.problems import MEDIA_TYPE
from gateway import heads
from gateway.errors import NoSuchPath, UpstreamUnavailable
from gateway.upstreams import Ask, Headers, Upstream

DEADLINE: Final = 3.0
"""Seconds that all parts have together."""
LATE: Final = "took_too_long"

PARTS: Final[Mapping[str, tuple[str, str]]] = {
    "customer": ("customers", "/v1/customers/{customer_id}"),
    "entitlements": ("licensing", "/v1/customers/{customer_id}/entitlements"),
    "provisioning": ("licensing", "/v1/customers/{customer_id}/provisioning"),
    "overview": ("reporting", "/v1/customer-overview/{customer_id}"),
    "notifications": ("notifications", "/v1/notifications?customer_id={customer_id}"),
}
"""Each part's service, and where it stands there."""
_STAFFS: Final = frozenset({"provisioning", "overview", "notifications"})
"""What a customer's own user is not asked for: it would be refused, and the refusal stand in the audit as if it had tried."""

_DECIDES: Final = "customer"
_KEPT: Final = ("www-authenticate", "retry-after")
"""Headers of a refusal that is the whole profile's."""
_ASKED_WITH: Final = (b"authorization", b"partnerdeck-acting-as", b"partnerdeck-consistency", b"accept-language")


class _Said(msgspec.Struct):
    code: str = "unknown"


@dataclass(frozen=True, slots=True)
class _Part:
    """A part's answer. ``status`` 0 is none at all, for the reason ``code``."""

    status: int
    body: bytes = b""
    code: str = ""
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def there(self) -> bool:
        return self.status == 200  # noqa: PLR2004

    @property
    def refuses(self) -> bool:
        return 400 <= self.status < 500  # noqa: PLR2004


_WITHHELD: Final = _Part(0, code="wrong_principal")


class Profiles:
    """Composes profiles."""

    def __init__(self, upstreams: Mapping[str, Upstream]) -> None:
        self._upstreams = upstreams

    async def page(self, scope: Scope) -> Answer:
        customer = _customer(scope)
        headers = _headers(scope)
        withheld = _STAFFS if scope["principal"].kind == "customer" else frozenset()
        async with asyncio.TaskGroup() as together:
            asked = {
                name: together.create_task(self._part(self._upstreams[service], path.format(customer_id=customer), headers))
                for name, (service, path) in PARTS.items()
                if name not in withheld
            }
        return _composed({name: asked[name].result() if name in asked else _WITHHELD for name in PARTS})

    async def _part(self, upstream: Upstream, target: str, headers: Headers) -> _Part:
        try:
            ask = Ask(method="GET", target=target, headers=headers, deadline=DEADLINE + 1)
            async with asyncio.timeout(DEADLINE), upstream.asked(ask) as response:
                body = (await response.bytes()).to_bytes()
                if response.status == 200:  # noqa: PLR2004
                    return _Part(response.status, body)
                kept = tuple((name, response.headers[name]) for name in _KEPT if name in response.headers)
                return _Part(response.status, body, _code(body), kept)
        except TimeoutError:
            return _Part(0, code=LATE)
        except Refusal as refusal:
            return _Part(0, code=refusal.code)
        except RequestError:
            return _Part(0, code=UpstreamUnavailable.code)


def _composed(parts: Mapping[str, _Part]) -> Answer:
    decisive = parts[_DECIDES]
    if decisive.refuses:
        headers = (("content-type", MEDIA_TYPE), ("cache-control", "no-store"), *decisive.headers)
        return Answer(status=decisive.status, body=decisive.body, headers=headers)
    if not any(part.there for part in parts.values()):
        raise UpstreamUnavailable(retry_after=1)
    body: dict[str, object] = {name: msgspec.Raw(part.body) if part.there else None for name, part in parts.items()}
    body["missing"] = [{"part": name, "reason": part.code} for name, part in parts.items() if not part.there]
    return Answer(status=200, body=msgspec.json.encode(body), headers=(("content-type", "application/json"), ("cache-control", "no-store")))


def _customer(scope: Scope) -> UUID:
    try:
        return UUID(scope["path"].split("/")[3])
    except ValueError as none:
        raise NoSuchPath("Ids are UUIDs.") from none


def _headers(scope: Scope) -> Headers:
    passed = [(name.decode(), value.decode("latin-1")) for name, value in scope["headers"] if name in _ASKED_WITH]
    return [*passed, *heads.correlated(), ("x-forwarded-for", heads.address(scope))]


def _code(body: bytes) -> str:
    """The stable code of a problem."""
    try:
        return msgspec.json.decode(body, type=_Said).code
    except msgspec.MsgspecError:
        return _Said().code
