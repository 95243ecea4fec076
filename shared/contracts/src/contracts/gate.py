"""The gate: what a published contract may become.

A contract may gain an optional field, nothing else. Records that were told live on in kept
topics, so today's code must read them; readers elsewhere were written for what was published,
so nothing may appear that they were promised not to meet. Both directions are refused, each
under its own kind.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

type Schema = dict[str, Any]
type _Seen = frozenset[tuple[str, str]]


class Kind(StrEnum):
    FIELD_REMOVED = "field_removed"
    FIELD_REQUIRED = "field_required"
    """A new field, or one that could be left out, is demanded: what was told before cannot be read."""
    FIELD_OPTIONAL = "field_optional"
    """A field that readers could rely on may be missing."""
    TYPE_CHANGED = "type_changed"
    NARROWED = "narrowed"
    """What was told before may be refused now."""
    WIDENED = "widened"
    """Readers may meet what they were promised not to meet."""
    VALUE_REMOVED = "value_removed"
    VALUE_ADDED = "value_added"
    """Readers may meet a value of an enumeration that they do not know."""
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Break:
    """One difference that is refused; ``path`` leads to it (``state.company.name``, ``products[].item``)."""

    kind: Kind
    path: str
    detail: str

    def __str__(self) -> str:
        return f"{self.path or 'the record'}: {self.kind}: {self.detail}"


_ANNOTATIONS: Final = frozenset({"$schema", "$id", "$defs", "$comment", "title", "description", "examples", "deprecated", "x-personal"})
_LOWER: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains")
_UPPER: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "maxContains")
_CONSTRAINTS: Final = ("format", "pattern", "multipleOf", "uniqueItems", "contentEncoding", "contentMediaType")
_COMPARED: Final = frozenset(
    {"type", "enum", "const", "properties", "required", "items", "additionalProperties", "propertyNames", *_LOWER, *_UPPER, *_CONSTRAINTS}
)
_INSIDES: Final = (("items", "[]"), ("additionalProperties", "{}"), ("propertyNames", "{names}"))


def breaking(old: Schema, new: Schema) -> list[Break]:
    """How ``new`` breaks those who tell or read by ``old``; empty when it only gained optional fields."""
    return list(_Comparison(old, new).compare(old, new, "", frozenset()))


@dataclass(frozen=True, slots=True)
class _Comparison:
    old: Schema
    new: Schema

    def compare(self, old: Schema, new: Schema, path: str, seen: _Seen) -> Iterator[Break]:
        pair = (old.get("$ref", ""), new.get("$ref", ""))
        if all(pair):
            if pair in seen:
                return
            seen |= {pair}
        before, after = _alternatives(self.old, old), _alternatives(self.new, new)
        if len(before) == len(after) == 1:
            yield from self._one(before[0], after[0], path, seen)
        else:
            yield from self._several(before, after, path, seen)

    def _several(self, old: list[Schema], new: list[Schema], path: str, seen: _Seen) -> Iterator[Break]:
        left, changed = list(new), []
        for one in old:
            same = next((other for other in left if not any(self._one(one, other, path, seen))), None)
            if same is None:
                changed.append(one)
            else:
                left.remove(same)
        for one in changed:
            like = next((other for other in left if other.get("type") == one.get("type")), None)
            if like is None:
                yield Break(Kind.NARROWED, path, f"{_shape(one)} is no longer allowed")
            else:
                left.remove(like)
                yield from self._one(one, like, path, seen)
        for other in left:
            yield Break(Kind.WIDENED, path, f"{_shape(other)} is newly allowed")

    def _one(self, old: Schema, new: Schema, path: str, seen: _Seen) -> Iterator[Break]:
        if old.get("type") != new.get("type"):
            yield _type(old, new, path)
            return
        yield from _values(old, new, path)
        yield from _bounds(old, new, path)
        yield from _constraints(old, new, path)
        yield from self._fields(old, new, path, seen)
        for keyword, mark in _INSIDES:
            if keyword in old or keyword in new:
                yield from self._inside((old.get(keyword, {}), new.get(keyword, {})), path + mark, seen)

    def _fields(self, old: Schema, new: Schema, path: str, seen: _Seen) -> Iterator[Break]:
        before, after = old.get("properties", {}), new.get("properties", {})
        needed_before, needed_after = set(old.get("required", ())), set(new.get("required", ()))
        for name in before:
            at = f"{path}.{name}" if path else name
            if name not in after:
                yield Break(Kind.FIELD_REMOVED, at, "was published")
                continue
            yield from self.compare(before[name], after[name], at, seen)
        for name in sorted(needed_after - needed_before):
            yield Break(Kind.FIELD_REQUIRED, f"{path}.{name}" if path else name, "records told before may not have it")
        for name in sorted((needed_before - needed_after) & set(after)):
            yield Break(Kind.FIELD_OPTIONAL, f"{path}.{name}" if path else name, "readers rely on it")

    def _inside(self, pair: tuple[Schema | bool, Schema | bool], path: str, seen: _Seen) -> Iterator[Break]:
        """Compare what may stand in a list or object; True allows anything, False nothing."""
        old, new = ({} if one is True else one for one in pair)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from self.compare(old, new, path, seen)
        elif isinstance(old, dict) or isinstance(new, dict):
            yield Break(Kind.NARROWED if isinstance(old, dict) else Kind.WIDENED, path, f"{_said(old)} became {_said(new)}")


def _alternatives(document: Schema, node: Schema) -> list[Schema]:
    """The plain schemas of which a value fits one: references followed, ``anyOf`` and ``oneOf`` opened."""
    if "$ref" in node:
        target = document["$defs"][node["$ref"].removeprefix("#/$defs/")]
        return _alternatives(document, target | {key: value for key, value in node.items() if key != "$ref"})
    for keyword in ("anyOf", "oneOf"):
        if keyword in node:
            rest = {key: value for key, value in node.items() if key != keyword and key not in _ANNOTATIONS}
            return [one for branch in node[keyword] for one in _alternatives(document, branch | rest)]
    return [node]


def _type(old: Schema, new: Schema, path: str) -> Break:
    before, after = old.get("type"), new.get("type")
    kind = Kind.TYPE_CHANGED
    if before is None or (before, after) == ("number", "integer"):
        kind = Kind.NARROWED
    elif after is None or (before, after) == ("integer", "number"):
        kind = Kind.WIDENED
    return Break(kind, path, f"{before or 'anything'} became {after or 'anything'}")


def _values(old: Schema, new: Schema, path: str) -> Iterator[Break]:
    before, after = _enumerated(old), _enumerated(new)
    if before is None and after is not None:
        yield Break(Kind.NARROWED, path, f"only {', '.join(map(repr, after))} are left")
    elif before is not None and after is None:
        yield Break(Kind.WIDENED, path, f"more than {', '.join(map(repr, before))}")
    elif before is not None and after is not None:
        for value in before:
            if value not in after:
                yield Break(Kind.VALUE_REMOVED, path, repr(value))
        for value in after:
            if value not in before:
                yield Break(Kind.VALUE_ADDED, path, repr(value))


def _enumerated(node: Schema) -> list[Any] | None:
    return [node["const"]] if "const" in node else node.get("enum")


def _bounds(old: Schema, new: Schema, path: str) -> Iterator[Break]:
    for keywords, upwards in ((_LOWER, Kind.NARROWED), (_UPPER, Kind.WIDENED)):
        downwards = Kind.WIDENED if upwards is Kind.NARROWED else Kind.NARROWED
        for keyword in keywords:
            before, after = old.get(keyword), new.get(keyword)
            if before == after:
                continue
            if before is None or after is None:
                kind = Kind.NARROWED if before is None else Kind.WIDENED
            else:
                kind = upwards if after > before else downwards
            yield Break(kind, path, f"{keyword} {_said(before)} became {_said(after)}")


def _constraints(old: Schema, new: Schema, path: str) -> Iterator[Break]:
    for keyword in _CONSTRAINTS:
        before, after = old.get(keyword), new.get(keyword)
        if before != after:
            kind = Kind.NARROWED if before is None else Kind.WIDENED if after is None else Kind.TYPE_CHANGED
            yield Break(kind, path, f"{keyword} {_said(before)} became {_said(after)}")
    for keyword in sorted((old.keys() | new.keys()) - _COMPARED - _ANNOTATIONS):
        if old.get(keyword) != new.get(keyword):
            yield Break(Kind.CHANGED, path, f"{keyword} {_said(old.get(keyword))} became {_said(new.get(keyword))}")


def _shape(node: Schema) -> str:
    return str(node.get("title") or node.get("type") or "anything")


def _said(value: Any) -> str:
    return "nothing" if value is None else repr(value)
