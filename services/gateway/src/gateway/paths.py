"""Finding the route of a path: the longest template that matches wins, letter by letter before placeholder.

A template matches whole paths only. A placeholder stands for one segment that is not empty.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Route:
    """``service`` answers at ``path``, a template; None is the gateway itself. The rails read ``path`` for logs and metrics."""

    path: str
    service: str | None


@dataclass(slots=True)
class _Node:
    named: dict[str, "_Node"] = field(default_factory=dict)
    placeholder: "_Node | None" = None
    route: Route | None = None


class Paths:
    """All templates as one tree of segments."""

    def __init__(self, services: Mapping[str, Iterable[str]], own: Iterable[str]) -> None:
        self._root: Final = _Node()
        for service, paths in services.items():
            for path in paths:
                self._add(Route(path, service))
        for path in own:
            self._add(Route(path, None))

    def find(self, path: str) -> Route | None:
        return _find(self._root, path.split("/")[1:], 0)

    def _add(self, route: Route) -> None:
        node = self._root
        for segment in route.path.split("/")[1:]:
            if segment.startswith("{"):
                node.placeholder = node = node.placeholder or _Node()
            else:
                node = node.named.setdefault(segment, _Node())
        if node.route is not None:
            raise ValueError(f"{route.path} and {node.route.path} take the same paths")
        node.route = route


def _find(node: _Node, segments: list[str], at: int) -> Route | None:
    if at == len(segments):
        return node.route
    segment = segments[at]
    if segment in node.named and (found := _find(node.named[segment], segments, at + 1)):
        return found
    if node.placeholder is not None and segment:
        return _find(node.placeholder, segments, at + 1)
    return None
