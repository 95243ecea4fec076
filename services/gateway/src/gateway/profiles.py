"""A customer's profile: what several services know about one customer, asked for at once (CUS-38).

Customer information and management status are customers' own; product entitlement is licensing's; endpoint
summary, deployment chart and what needs attention are reporting's.

A part that is late, down or refused is named as missing. Only what customers refuses (no such
customer, no right) is the whole profile's answer.
"""

import asyncio
from collections.abc import Mapping
from typing import Final
from uuid import UUID

import msgspec
from starlette.types import Scope

from chassis.http.answers import Answer
from chassis.http.problems import MEDIA_TYPE
from gateway.errors import NoSuchPath, UpstreamUnavailable
from gateway.parts import Part, ask, headers_of
from gateway.upstreams import Upstream

PARTS: Final[Mapping[str, tuple[str, str]]] = {
    "customer": ("customers", "/v1/customers/{customer_id}"),
    "entitlements": ("licensing", "/v1/customers/{customer_id}/entitlements"),
    "settings": ("licensing", "/v1/customers/{customer_id}/product-settings"),
    "provisioning": ("licensing", "/v1/customers/{customer_id}/provisioning"),
    "endpoints": ("reporting", "/v1/customers/{customer_id}/endpoint-summary"),
    "deployment": ("reporting", "/v1/customers/{customer_id}/deployment-chart"),
    "overview": ("reporting", "/v1/customer-overview/{customer_id}"),
    "notifications": ("notifications", "/v1/notifications?customer_id={customer_id}"),
}
"""Each part's service, and where it stands there."""
_STAFFS: Final = frozenset({"provisioning", "overview", "notifications"})
"""What a customer's own user is not asked for: it would be refused, and the refusal stand in the audit as if it had tried."""

_DECIDES: Final = "customer"
_WITHHELD: Final = Part(0, code="wrong_principal")


class Profiles:
    """Composes profiles."""

    def __init__(self, upstreams: Mapping[str, Upstream]) -> None:
        self._upstreams = upstreams

    async def page(self, scope: Scope) -> Answer:
        customer = _customer(scope)
        headers = headers_of(scope)
        withheld = _STAFFS if scope["principal"].kind == "customer" else frozenset()
        async with asyncio.TaskGroup() as together:
            asked = {
                name: together.create_task(ask(self._upstreams[service], path.format(customer_id=customer), headers))
                for name, (service, path) in PARTS.items()
                if name not in withheld
            }
        return _composed({name: asked[name].result() if name in asked else _WITHHELD for name in PARTS})


def _composed(parts: Mapping[str, Part]) -> Answer:
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
