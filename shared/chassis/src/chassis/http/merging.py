"""Merge patches (RFC 7396): a document changed by one that names only what is to be other."""

from typing import Any


def merged(document: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """The document with what the patch names: ``None`` takes a member out, objects are merged, all else takes the old one's place."""
    after = dict(document)
    for name, value in patch.items():
        if value is None:
            after.pop(name, None)
        elif isinstance(value, dict):
            before = after.get(name)
            after[name] = merged(before if isinstance(before, dict) else {}, value)
        else:
            after[name] = value
    return after
