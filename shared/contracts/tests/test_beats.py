"""A beat says when it was told and carries nothing that a state has; a broken one says nothing at all."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import uuid4

import pytest

from contracts import beats
from contracts.envelope import BadEnvelope, Headers, decode

AT = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def test_a_beat_says_when_it_was_told() -> None:
    headers = beats.encode(uuid4(), "/customers", AT.astimezone(timezone(timedelta(hours=2))))

    assert beats.told_at(headers) == AT
    assert dict(headers)["ce_time"] == b"2026-01-05T09:00:00Z"


def test_a_beat_has_no_tenant_no_entity_and_no_version() -> None:
    names = {name for name, _ in beats.encode(uuid4(), "/customers", AT)}

    assert names == {"ce_specversion", "content-type", "ce_id", "ce_source", "ce_type", "ce_time"}
    with pytest.raises(BadEnvelope):
        decode(beats.encode(uuid4(), "/customers", AT))


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("ce_type", b"user.changed"), ("ce_time", b"2026-01-05T09:00:00Z")],
        [("ce_type", b"beat")],
        [("ce_type", b"beat"), ("ce_time", None)],
        [("ce_type", b"beat"), ("ce_time", b"\xff")],
        [("ce_type", b"beat"), ("ce_time", b"yesterday")],
        [("ce_type", b"beat"), ("ce_time", b"2026-01-05T09:00:00")],
    ],
)
def test_what_is_no_sound_beat_was_told_at_no_time(headers: Headers) -> None:
    assert beats.told_at(headers) is None
