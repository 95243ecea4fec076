"""What a link of the chain is made of: everything an entry says, canonically, and the link before."""

import hashlib
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
    said = [number, *(_canonical(entry[name]) for name in SAID)]
    return hashlib.sha256(before + msgspec.json.encode(said)).digest()


def _canonical(value: Any) -> Any:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds")
        case bytes():
            return value.hex()
        case None | list():
            return value
        case _:
            return str(value)
