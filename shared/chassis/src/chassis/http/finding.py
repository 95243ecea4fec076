"""Finding: which route answers a request, by the beginning of its path, at one look.

The framework asks the routes of every router in turn and then looks at what each of its
parameters is, which costs a small read a third of its time. Here only those routes are asked that
have a path with that beginning, and the one found is given what it wants (``given``). Where none
is found, or it cannot be given that, the framework goes its own way and says so.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, FastAPI
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.convertors import StringConvertor
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from chassis.http.given import Given

_SEGMENTS: Final = 3
"""``/v1/customers/...`` is told from others by what stands before its third slash."""


@dataclass(frozen=True, slots=True)
class _Way:
    """One route of those with the same method and beginning. ``given`` is None where only the framework can call its function."""

    route: RouteContext
    path: re.Pattern[str]
    given: Given | None


def include(app: FastAPI, routers: Sequence[APIRouter]) -> None:
    """Add the routes of routers to an application, to be found by their paths.

    They are taken as they stand: the framework's own way of including a router looks at all
    parameters of all its routes once more.

    Raises:
        ValueError: a path has a placeholder where it should be told from others.
    """
    found: defaultdict[str, list[BaseRoute]] = defaultdict(list)
    for route in (route for router in routers for route in router.routes):
        beginning = _beginning(str(getattr(route, "path", "")))
        if "{" in beginning:
            raise ValueError(f"a path may not begin with {beginning}: it could be anybody's")
        found[beginning].append(route)
        app.router.routes.append(route)
    app.router.middleware_stack = _Finding(app.router, found)


class _Finding:
    """ASGI: what the application's own router does, asking fewer."""

    def __init__(self, router: APIRouter, found: Mapping[str, Sequence[BaseRoute]]) -> None:
        self._router = router
        self._found = dict(found)
        self._ways = _ways(iter_route_contexts(router.routes))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        beginning = _beginning(scope["path"]) if scope["type"] == "http" else ""
        for way in self._ways.get((scope.get("method", ""), beginning), ()):
            if (path := way.path.match(scope["path"])) is not None:
                values = way.given.read(path.groupdict(), scope["query_string"]) if way.given else None
                if way.given is None or values is None:
                    break
                scope.update(router=self._router, route=way.route, path_params=path.groupdict())
                await way.given.answer(values, scope, receive, send)
                return
        await self._framework(self._found.get(beginning, ()), scope, receive, send)

    async def _framework(self, candidates: Sequence[BaseRoute], scope: Scope, receive: Receive, send: Send) -> None:
        for candidate in candidates:
            match, matched = candidate.matches(scope)
            if match is Match.FULL:
                scope.update(matched, router=self._router)
                await candidate.handle(scope, receive, send)
                return
        await self._router.app(scope, receive, send)


def _ways(routes: Iterable[RouteContext]) -> dict[tuple[str, str], list[_Way]]:
    """Routes in their order, by method and beginning."""
    ways: defaultdict[tuple[str, str], list[_Way]] = defaultdict(list)
    for route in routes:
        texts = all(type(one) is StringConvertor for one in route.param_convertors.values())
        given = Given.of(route.endpoint, frozenset(route.param_convertors)) if texts and route.endpoint else None
        for method in route.methods or ():
            ways[method, _beginning(str(route.path))].append(_Way(route, route.path_regex, given))
    return dict(ways)


def _beginning(path: str) -> str:
    return "/".join(path.split("/", _SEGMENTS)[:_SEGMENTS])
