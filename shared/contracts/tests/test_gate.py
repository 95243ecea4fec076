"""A published contract may gain an optional field and nothing else: each planted break is refused under its own kind (BEY-01)."""

import copy
from typing import Any

import pytest

from contracts.gate import Kind, breaking

PUBLISHED: dict[str, Any] = {
    "$defs": {
        "Status": {"type": "string", "enum": ["active", "disabled"]},
        "Part": {
            "type": "object",
            "title": "Part",
            "properties": {"name": {"type": "string", "maxLength": 80}, "inner": {"$ref": "#/$defs/Part"}},
            "required": ["name"],
        },
    },
    "type": "object",
    "title": "SomethingHappened",
    "x-aggregate": "thing",
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "seats": {"type": "integer", "minimum": 1, "maximum": 50},
        "status": {"$ref": "#/$defs/Status"},
        "kind": {"const": "trial", "type": "string"},
        "code": {"type": "string", "pattern": "^[A-Z]+$"},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "extra": {"type": "string", "default": ""},
        "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}, "maxItems": 20},
        "levels": {"type": "object", "additionalProperties": {"type": "integer"}, "propertyNames": {"format": "uuid"}},
        "free": {"type": "object"},
    },
    "required": ["id", "seats", "status", "kind", "code", "note", "parts", "levels", "free"],
}
REMOVED = object()


def changed(path: str, value: Any) -> dict[str, Any]:
    """The published schema with the node at ``path`` replaced, or taken out."""
    schema = copy.deepcopy(PUBLISHED)
    *way, last = path.split("/")
    node = schema
    for step in way:
        node = node[step]
    if value is REMOVED:
        del node[last]
    else:
        node[last] = value
    return schema


def grown(field: str, definition: dict[str, Any], *, required: bool) -> dict[str, Any]:
    schema = changed(f"properties/{field}", definition)
    if required:
        schema["required"].append(field)
    return schema


def test_nothing_changed_breaks_nothing() -> None:
    assert breaking(PUBLISHED, copy.deepcopy(PUBLISHED)) == []


def test_an_optional_field_may_be_gained_at_every_depth() -> None:
    assert breaking(PUBLISHED, grown("colour", {"type": "string", "default": "blue"}, required=False)) == []
    assert breaking(PUBLISHED, changed("$defs/Part/properties/colour", {"type": "string"})) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("title", "SomethingElse"),
        ("description", "Said better."),
        ("properties/id/description", "Whose it is."),
        ("properties/id/x-personal", True),
        ("properties/note/anyOf", [{"type": "null"}, {"type": "string"}]),
        ("properties/status", {"type": "string", "enum": ["disabled", "active"]}),
        ("required", list(reversed(PUBLISHED["required"]))),
    ],
)
def test_what_means_the_same_breaks_nothing(path: str, value: Any) -> None:
    assert breaking(PUBLISHED, changed(path, value)) == []


@pytest.mark.parametrize(
    ("kind", "at", "path", "value"),
    [
        (Kind.FIELD_REMOVED, "extra", "properties/extra", REMOVED),
        (Kind.FIELD_REMOVED, "parts[].inner", "$defs/Part/properties/inner", REMOVED),
        (Kind.FIELD_REQUIRED, "extra", "required", [*PUBLISHED["required"], "extra"]),
        (Kind.FIELD_REQUIRED, "parts[].inner", "$defs/Part/required", ["name", "inner"]),
        (Kind.FIELD_OPTIONAL, "id", "required", PUBLISHED["required"][1:]),
        (Kind.TYPE_CHANGED, "id", "properties/id/type", "integer"),
        (Kind.TYPE_CHANGED, "id", "properties/id/format", "date"),
        (Kind.TYPE_CHANGED, "code", "properties/code/pattern", "^[a-z]+$"),
        (Kind.TYPE_CHANGED, "levels{}", "properties/levels/additionalProperties", {"type": "string"}),
        (Kind.TYPE_CHANGED, "parts", "properties/parts", {"type": "object"}),
        (Kind.NARROWED, "seats", "properties/seats/minimum", 2),
        (Kind.NARROWED, "seats", "properties/seats/maximum", 49),
        (Kind.NARROWED, "seats", "properties/seats/exclusiveMinimum", 0),
        (Kind.NARROWED, "parts", "properties/parts/maxItems", 10),
        (Kind.NARROWED, "parts[].name", "$defs/Part/properties/name/maxLength", 40),
        (Kind.NARROWED, "note", "properties/note", {"type": "string"}),
        (Kind.NARROWED, "extra", "properties/extra/format", "email"),
        (Kind.NARROWED, "extra", "properties/extra/enum", ["a", "b"]),
        (Kind.NARROWED, "free{}", "properties/free/additionalProperties", {"type": "string"}),
        (Kind.NARROWED, "free{}", "properties/free/additionalProperties", False),
        (Kind.WIDENED, "seats", "properties/seats/type", "number"),
        (Kind.WIDENED, "seats", "properties/seats/minimum", 0),
        (Kind.WIDENED, "seats", "properties/seats/maximum", REMOVED),
        (Kind.WIDENED, "extra", "properties/extra", {"anyOf": [{"type": "string"}, {"type": "null"}], "default": ""}),
        (Kind.WIDENED, "id", "properties/id/format", REMOVED),
        (Kind.WIDENED, "status", "$defs/Status/enum", REMOVED),
        (Kind.WIDENED, "levels{}", "properties/levels/additionalProperties", REMOVED),
        (Kind.WIDENED, "levels{names}", "properties/levels/propertyNames", REMOVED),
        (Kind.VALUE_REMOVED, "status", "$defs/Status/enum", ["active"]),
        (Kind.VALUE_ADDED, "status", "$defs/Status/enum", ["active", "disabled", "paused"]),
        (Kind.VALUE_ADDED, "kind", "properties/kind", {"type": "string", "enum": ["trial", "paid"]}),
        (Kind.CHANGED, "extra", "properties/extra/default", "none"),
        (Kind.CHANGED, "", "x-aggregate", "other"),
    ],
)
def test_a_planted_break_is_refused(kind: Kind, at: str, path: str, value: Any) -> None:
    found = breaking(PUBLISHED, changed(path, value))

    assert [(one.kind, one.path) for one in found] == [(kind, at)]


def test_a_new_field_may_not_be_demanded() -> None:
    found = breaking(PUBLISHED, grown("colour", {"type": "string"}, required=True))

    assert [(one.kind, one.path) for one in found] == [(Kind.FIELD_REQUIRED, "colour")]


def test_a_changed_alternative_is_named_where_it_changed() -> None:
    old = changed("properties/note/anyOf", [{"$ref": "#/$defs/Part"}, {"type": "null"}])
    new = copy.deepcopy(old)
    new["$defs"]["Part"]["properties"]["name"]["type"] = "integer"

    found = breaking(old, new)

    assert {one.kind for one in found} == {Kind.TYPE_CHANGED}
    assert {one.path for one in found} >= {"note.name", "parts[].name"}


def test_a_break_says_where_and_what() -> None:
    (one,) = breaking(PUBLISHED, changed("$defs/Status/enum", ["active"]))

    assert str(one) == "status: value_removed: 'disabled'"
