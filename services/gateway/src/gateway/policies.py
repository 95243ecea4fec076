"""The operator's policies: those of every service that decides by some, in one list."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from starlette.types import Scope

from chassis.http.answers import Answer
from chassis.http.problems import MEDIA_TYPE
from gateway.errors import UpstreamUnavailable
from gateway.parts import Part, ask, headers_of
from gateway.table import PATHS
from gateway.upstreams import Upstream

SERVICES: Final[Mapping[str, str]] = {name: path for name, paths in PATHS.items() if (path := f"/v1/policies/{name}") in paths}
"""Each service that has policies, and where they stand there."""


class _Listed(msgspec.Struct):
    """A service's own list."""

    items: list[msgspec.Raw]


class Policies:
    """Joins what the services say. What is missing is named; what all of them refuse is refused."""

    def __init__(self, upstreams: Mapping[str, Upstream]) -> None:
        self._upstreams = upstreams

    async def page(self, scope: Scope) -> Answer:
        headers = headers_of(scope)
        said = await asyncio.gather(*(ask(self._upstreams[name], path, headers) for name, path in SERVICES.items()))
        return _joined(dict(zip(SERVICES, said, strict=True)))


def _joined(parts: Mapping[str, Part]) -> Answer:
    there = [part for part in parts.values() if part.there]
    if not there:
        return _refused([part for part in parts.values() if part.refuses])
    items = [item for part in there for item in msgspec.json.decode(part.body, type=_Listed).items]
    body = {"items": items, "missing": [{"part": name, "reason": part.code} for name, part in parts.items() if not part.there]}
    return Answer(status=200, body=msgspec.json.encode(body), headers=(("content-type", "application/json"), ("cache-control", "no-store")))


def _refused(refusals: Sequence[Part]) -> Answer:
    """As the first of them says it.

    Raises:
        UpstreamUnavailable: nobody says anything.
    """
    if not refusals:
        raise UpstreamUnavailable(retry_after=1)
    first = refusals[0]
    headers = (("content-type", MEDIA_TYPE), ("cache-control", "no-store"), *first.headers)
    return Answer(status=first.status, body=first.body, headers=headers)
