"""Merging the services' OpenAPI documents into one, with what the gateway adds.

Only operations that the route table forwards are in it. Names of components and operations are
the services' own; where two services mean different things by one name, each gets its service's
name in front.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from gateway.policies import SERVICES
from gateway.profiles import PARTS
from gateway.table import PATHS, POLICIES, PROFILE, PUBLIC

type Document = dict[str, Any]

_METHODS: Final = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})
_SCHEMES: Final = {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
_COMPONENT: Final = "#/components/schemas/"


def merged(documents: Mapping[str, Document], info: Mapping[str, str]) -> Document:
    """One document of all services'."""
    renames = _namesakes(documents)
    operation_ids = _shared_operation_ids(documents)
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    for service, document in documents.items():
        own = _renamed(document, renames[service])
        schemas |= {renames[service].get(name, name): schema for name, schema in _schemas(own).items()}
        for path, item in own.get("paths", {}).items():
            if path in PATHS[service]:
                paths[path] = {key: _operation(service, key, path, value, operation_ids) for key, value in item.items()}
    whole: Document = {
        "openapi": "3.1.0",
        "info": dict(info),
        "tags": [{"name": service, "description": f"Answered by {service}."} for service in documents],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": _SCHEMES},
        "security": [{"token": []}],
    }
    paths[PROFILE] = {"get": _profile(whole)}
    paths[POLICIES] = {"get": _policies(whole)}
    return whole


def _operation(service: str, method: str, path: str, operation: Any, shared: frozenset[str]) -> Any:
    if method not in _METHODS:
        return operation
    own = dict(operation)
    own["tags"] = list(dict.fromkeys([service, *operation.get("tags", ())]))
    if operation.get("operationId") in shared:
        own["operationId"] = f"{service}_{operation['operationId']}"
    if (method.upper(), path) in PUBLIC:
        own["security"] = []
    return own


def _namesakes(documents: Mapping[str, Document]) -> dict[str, dict[str, str]]:
    """Per service, the components that must be renamed: by whose name, or by a name inside them, another service means something else."""
    own = {service: _schemas(document) for service, document in documents.items()}
    everywhere: dict[str, list[Any]] = {}
    for schemas in own.values():
        for name, schema in schemas.items():
            everywhere.setdefault(name, []).append(schema)
    shared = {name: meant for name, meant in everywhere.items() if len(meant) > 1}
    clashing = {name for name, meant in shared.items() if any(other != meant[0] for other in meant)}
    while more := {name for name, meant in shared.items() if name not in clashing and clashing & set(_mentions(meant[0]))}:
        clashing |= more
    return {service: {name: f"{service.capitalize()}{name}" for name in clashing & set(schemas)} for service, schemas in own.items()}


def _mentions(node: Any) -> Iterator[str]:
    """The components that a schema refers to."""
    if isinstance(node, str) and node.startswith(_COMPONENT):
        yield node.removeprefix(_COMPONENT)
    for item in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _mentions(item)


def _renamed(node: Any, names: Mapping[str, str]) -> Any:
    """The same with its references to renamed components following them."""
    if isinstance(node, dict):
        return {key: _renamed(value, names) for key, value in node.items()}
    if isinstance(node, list):
        return [_renamed(item, names) for item in node]
    if isinstance(node, str) and node.startswith(_COMPONENT):
        name = node.removeprefix(_COMPONENT)
        return _COMPONENT + names.get(name, name)
    return node


def _schemas(document: Document) -> dict[str, Any]:
    schemas: dict[str, Any] = document.get("components", {}).get("schemas", {})
    return schemas


def _shared_operation_ids(documents: Mapping[str, Document]) -> frozenset[str]:
    seen: set[str] = set()
    twice: set[str] = set()
    for document in documents.values():
        own = set(_operation_ids(document))
        twice |= own & seen
        seen |= own
    return frozenset(twice)


def _operation_ids(document: Document) -> Iterator[str]:
    for item in document.get("paths", {}).values():
        for key, operation in item.items():
            if key in _METHODS and "operationId" in operation:
                yield operation["operationId"]


def _profile(whole: Document) -> Document:
    """Made of what the services say about its parts."""
    parts = {name: {"anyOf": [_answer_of(whole, path.partition("?")[0]), {"type": "null"}]} for name, (_, path) in PARTS.items()}
    said = _Own("gateway_profile", "What all services know about one customer; a part that cannot be had is null and named in `missing`.")
    customer = {"name": "customer_id", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
    return said.described("CustomerProfile", {**parts, "missing": _missing(PARTS)}, parameters=[customer])


def _policies(whole: Document) -> Document:
    """Made of what one service says of its own."""
    known = _COMPONENT + "PolicyView" if "PolicyView" in whole["components"]["schemas"] else None
    items = {"type": "array", "items": {"$ref": known} if known else {}}
    said = _Own("gateway_policies", "What the operator has decided, in every service; a service that does not say is named in `missing`.")
    return said.described("AllPolicies", {"items": items, "missing": _missing(SERVICES)})


def _missing(parts: Iterable[str]) -> Document:
    return {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["part", "reason"],
            "properties": {"part": {"enum": list(parts)}, "reason": {"type": "string"}},
        },
    }


class _Own(NamedTuple):
    """An operation of the gateway itself."""

    id: str
    summary: str

    def described(self, title: str, members: Document, *, parameters: Sequence[Document] = ()) -> Document:
        schema = {"title": title, "type": "object", "required": [*members], "properties": members}
        problem = {"content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
        return {
            "tags": ["gateway"],
            "summary": self.summary,
            "operationId": self.id,
            "parameters": [*parameters],
            "responses": {
                "200": {"description": title, "content": {"application/json": {"schema": schema}}},
                "4XX": {"description": "Refused: a problem", **problem},
                "5XX": {"description": "Failed: a problem", **problem},
            },
        }


def _answer_of(whole: Document, path: str) -> Any:
    """What the GET at a path answers; anything, as long as its service has not been heard of."""
    operation = whole["paths"].get(path, {}).get("get", {})
    return operation.get("responses", {}).get("200", {}).get("content", {}).get("application/json", {}).get("schema", {})
