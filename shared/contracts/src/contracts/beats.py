"""Beats: records of state topics that say when, and nothing else.

Whoever tells a topic tells a beat into each of its partitions too, after everything that was
told before. So a reader that has come to a beat knows everything that was true at the beat's
time. A beat is about nobody and nothing: it has no tenant, no entity, no version and no state,
and whoever follows states skips it by its type. All beats of a partition have one key, so
compaction keeps one of them; and it cleans only what new records push aside, so each state
topic has some.
"""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from contracts.envelope import JSON, SPEC_VERSION, Headers, type_of

TYPE: Final = "beat"
KEY: Final = "beat"
PAYLOAD: Final = b"{}"

ACCESS: Final = frozenset({"partner.changed", "user.changed", "role.changed", "customer.changed"})
"""The topics that say who may do what: how old a reader's knowledge of them is must be known to the second."""
OFTEN: Final = timedelta(seconds=1)
SELDOM: Final = timedelta(hours=1)


def every(topic: str) -> timedelta:
    """How often a state topic gets a beat."""
    return OFTEN if topic in ACCESS else SELDOM


def encode(beat_id: UUID, source: str, at: datetime) -> list[tuple[str, bytes]]:
    """The headers of a beat: a CloudEvent with nothing but what every CloudEvent has. ``at`` has a zone."""
    return [
        ("ce_specversion", SPEC_VERSION),
        ("content-type", JSON),
        ("ce_id", str(beat_id).encode()),
        ("ce_source", source.encode()),
        ("ce_type", TYPE.encode()),
        ("ce_time", at.astimezone(UTC).isoformat().replace("+00:00", "Z").encode()),
    ]


def is_beat(headers: Headers) -> bool:
    return type_of(headers) == TYPE


def told_at(headers: Headers) -> datetime | None:
    """When a beat was told: everything that was true then stands before it. None for what is no beat, or does not say."""
    if not is_beat(headers):
        return None
    said = next((value for name, value in headers if name == "ce_time" and value is not None), b"")
    try:
        at = datetime.fromisoformat(said.decode())
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo else None
