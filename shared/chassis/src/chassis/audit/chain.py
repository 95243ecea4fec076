"""What a link of a chain is made of: everything an entry says, canonically, and the link before."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from sqlalchemy import RowMapping

SAID: Final = (
    "partner_id",
    "id",
    "at",
    "user_id",
    "user_kind",
    "user_partner_id",
    "acting_as",
    "operation",
    "outcome",
    "code",
    "subject_type",
    "subject_id",
    "customer_id",
    "facts",
    "fields",
    "request_id",
    "address",
    "digest",
)
"""Columns of an entry, in the order in which they are hashed."""
GENESIS: Final = bytes(32)


def link(before: bytes, number: int, entry: RowMapping) -> bytes:
    """The hash of an entry that is the ``number``th of its partner, after the one whose hash is ``before``."""
    return linked(before, number, (entry[name] for name in SAID))


def linked(before: bytes, number: int, said: Iterable[Any]) -> bytes:
    """The hash of the ``number``th entry of any chain, by all that it says, after the one whose hash is ``before``."""
    whole = [number, *map(_canonical, said)]
    return hashlib.sha256(before + msgspec.json.encode(whole, order="deterministic")).digest()


def _canonical(value: Any) -> Any:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds")
        case bytes():
            return value.hex()
        case None | list() | dict():
            return value
        case _:
            return str(value)
