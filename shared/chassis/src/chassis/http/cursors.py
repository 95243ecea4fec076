"""Cursors: where a list goes on, as an opaque text.

A cursor holds the sort it belongs to and the values of the last row in that sort. It grants
nothing (they only become parameters of a statement that has its own tenant condition), so it
is not signed but checked: another sort's, a wrong type or anything else is ``bad_cursor``.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import msgspec

from chassis.errors import Kind, Refusal

type Value = str | int | UUID | datetime | None

LONGEST: Final = 4000
_UNSAFE: Final = re.compile("[\x00\ud800-\udfff]")
_BIGINT: Final = 2**63


class BadCursor(Refusal):
    """The cursor is not one that this list has given."""

    kind = Kind.MALFORMED
    code = "bad_cursor"
    remedy = "Start again without a cursor, or keep filters and sort as they were when it was given."


def encode(values: Sequence[Value], sort: str) -> str:
    """A cursor behind the row with these values.

    Raises:
        TypeError: a value is of a kind that cursors do not carry.
    """
    return base64.urlsafe_b64encode(msgspec.json.encode([sort, [_tagged(value) for value in values]])).rstrip(b"=").decode()


def decode(cursor: str, sort: str, types: Sequence[type] | None = None) -> tuple[Value, ...]:
    """The values of a cursor of this sort; ``types`` says what they must be (None is a value of each).

    Raises:
        BadCursor: it is another sort's, or none.
    """
    try:
        named, tagged = msgspec.json.decode(_bytes(cursor), type=tuple[str, list[tuple[str, str]]])
        values = tuple(_value(kind, text) for kind, text in tagged)
    except (ValueError, binascii.Error, msgspec.MsgspecError, OverflowError) as malformed:
        raise BadCursor from malformed
    if named != sort or (types is not None and not _fit(values, types)):
        raise BadCursor
    return values


def _bytes(cursor: str) -> bytes:
    if len(cursor) > LONGEST:
        raise BadCursor
    return base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)


def _fit(values: Sequence[Value], types: Sequence[type]) -> bool:
    return len(values) == len(types) and all(value is None or isinstance(value, kind) for value, kind in zip(values, types, strict=True))


def _tagged(value: Value) -> tuple[str, str]:
    match value:
        case None:
            return "n", ""
        case bool():
            raise TypeError("a cursor carries no truth values")
        case str():
            return "s", value
        case int():
            return "i", str(value)
        case UUID():
            return "u", value.hex
        case datetime():
            return "t", value.astimezone(UTC).isoformat()
    raise TypeError(f"a cursor carries no {type(value).__name__}")


def _value(kind: str, text: str) -> Value:
    match kind:
        case "n":
            return None
        case "s":
            return _text(text)
        case "i":
            return _number(text)
        case "u":
            return UUID(hex=text)
        case "t":
            return _instant(text)
    raise ValueError(kind)


def _text(text: str) -> str:
    if _UNSAFE.search(text):
        raise ValueError("no text that PostgreSQL keeps")
    return text


def _number(text: str) -> int:
    number = int(text[:20])
    if not -_BIGINT <= number < _BIGINT:
        raise ValueError("out of range")
    return number


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.utcoffset() is None:
        raise ValueError("an instant has a zone")
    return at.astimezone(UTC)
