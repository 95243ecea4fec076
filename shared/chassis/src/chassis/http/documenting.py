"""The headers that an operation reads through its call, said in the OpenAPI document.

What a route's function asks of its call is what its document says: ``call.seen`` makes `If-Match` required, a change by
POST takes an `Idempotency-Key`, and who is signed in may act as another and wait for what it wrote.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, get_type_hints

from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import BaseRoute

from chassis.http import consistency
from chassis.http.admission import ACTING_AS
from chassis.http.calls import Call


def _header(name: str, said: str, *, required: bool = False, **schema: object) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": required, "description": said, "schema": {"type": "string", **schema}}


_ACTING: Final = _header(ACTING_AS.title(), "A partner below your own, to act as it.", format="uuid")
_CONSISTENCY: Final = _header(consistency.HEADER.title(), "What a write answered: this waits, at most 2 s, until it is seen here.")
_SEEN: Final = _header("If-Match", "The ETag that you have seen. Missing is 428, stale is 412.", required=True)
_KEY: Final = _header("Idempotency-Key", "Sent again with the same body within 48 hours, it gets the same answer.", maxLength=255)


def say_headers(document: dict[str, Any], routes: Sequence[BaseRoute]) -> None:
    """Add to each operation of the document the headers that its route reads."""
    for context in iter_route_contexts(routes):
        if not isinstance(context.original_route, APIRoute) or not context.include_in_schema:
            continue
        for method in context.methods or ():
            operation = document["paths"][context.path_format][method.lower()]
            headers = list(_read(context.original_route.endpoint, method))
            if headers:
                operation["parameters"] = [*operation.get("parameters", ()), *headers]


def _read(endpoint: Callable[..., Any], method: str) -> Iterator[dict[str, Any]]:
    if get_type_hints(endpoint).get("call") is not Call:
        return
    asked = endpoint.__code__.co_names
    yield _ACTING
    yield _CONSISTENCY
    if "seen" in asked:
        yield _SEEN
    if method == "POST" and "change" in asked:
        yield _KEY
