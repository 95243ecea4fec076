"""Answers held against their description."""

import json

from pydantic import TypeAdapter


def fitted[V](view: type[V], content: bytes) -> V:
    """The bytes of an answer, read by the description of its view, which names each member and has no other.

    Raises:
        ValidationError, AssertionError: the bytes are not as described.
    """
    described = TypeAdapter(view)
    read = described.validate_json(content)
    assert described.dump_python(read, mode="json", exclude_unset=True) == json.loads(content)
    return read
