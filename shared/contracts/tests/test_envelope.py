"""The envelope is CloudEvents 1.0 in Kafka binary mode: any reader's SDK understands it, and nothing malformed passes for an event.

Whatever the headers hold, ``decode`` answers an envelope or ``BadEnvelope``: another exception
would stop a whole batch instead of parking one record.
"""

import json
from copy import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event, to_binary_event
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from contracts import samples
from contracts.customers.customers import CustomerCreated
from contracts.envelope import BadEnvelope, Envelope, decode, encode, type_of

TEXTS = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=40)
ZONES = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.datetimes(datetime(1000, 1, 1), datetime(9000, 1, 1), timezones=ZONES)  # noqa: DTZ001 - hypothesis adds the zone
ENVELOPES = st.builds(
    Envelope,
    id=st.uuids(),
    type=TEXTS,
    source=TEXTS,
    time=TIMES,
    effective_time=TIMES,
    subject=st.uuids(),
    partner_id=st.uuids(),
    customer_id=st.none() | st.uuids(),
    aggregate_type=TEXTS,
    aggregate_version=st.integers(0, 2**63 - 1),
    data_schema=TEXTS,
    data_region=TEXTS,
    sandbox=st.booleans(),
    causation_id=st.none() | TEXTS,
    correlation_id=st.none() | TEXTS,
    traceparent=st.none() | TEXTS,
)
NAMES = [name for name, _ in encode(samples.envelope(CustomerCreated))]
MANDATORY = set(NAMES) - {
    "content-type",
    "ce_customerid",
    "ce_dataregion",
    "ce_sandbox",
    "ce_causationid",
    "ce_correlationid",
    "ce_partitionkey",
    "traceparent",
}


def an_envelope(**changes: Any) -> Envelope:
    return replace(samples.envelope(CustomerCreated), **changes)


def headers_with(name: str, value: bytes | None) -> list[tuple[str, bytes | None]]:
    return [(known, value if known == name else said) for known, said in encode(an_envelope())]


@given(ENVELOPES)
def test_what_was_encoded_is_decoded_again(envelope: Envelope) -> None:
    assert decode(encode(envelope)) == envelope


@given(ENVELOPES)
def test_the_cloudevents_sdk_reads_what_we_encode(envelope: Envelope) -> None:
    said = dict(encode(envelope))
    key = str(envelope.partition_key).encode()

    event = from_binary_event(KafkaMessage(headers=said, key=key, value=b'{"country": "DE"}'))

    assert event.get_specversion() == "1.0"
    assert event.get_id() == str(envelope.id)
    assert event.get_type() == envelope.type
    assert event.get_source() == envelope.source
    assert event.get_subject() == str(envelope.subject)
    assert event.get_time() == envelope.time
    assert event.get_dataschema() == envelope.data_schema
    assert event.get_datacontenttype() == "application/json"
    assert event.get_extension("partitionkey") == str(envelope.partition_key)
    assert event.get_extension("aggregateversion") == str(envelope.aggregate_version)
    assert event.get_data() == {"country": "DE"}


@given(ENVELOPES)
def test_the_cloudevents_sdk_encodes_what_we_encode(envelope: Envelope) -> None:
    told = to_binary_event(_as_sdk_event(envelope))

    assert told.headers == {name: value for name, value in encode(envelope) if name != "traceparent"}
    assert told.key == str(envelope.partition_key)


@given(ENVELOPES)
def test_we_read_what_the_cloudevents_sdk_encodes(envelope: Envelope) -> None:
    told = to_binary_event(_as_sdk_event(envelope))

    assert decode(list(told.headers.items())) == replace(envelope, traceparent=None)


def test_the_customer_decides_the_partition_and_the_partner_where_there_is_none() -> None:
    envelope = an_envelope()

    assert envelope.partition_key == envelope.customer_id
    assert replace(envelope, customer_id=None).partition_key == envelope.partner_id


def test_times_are_told_in_utc() -> None:
    hamburg = datetime(2026, 11, 20, 10, 30, tzinfo=timezone(timedelta(hours=1)))

    assert dict(encode(an_envelope(time=hamburg)))["ce_time"] == b"2026-11-20T09:30:00Z"
    assert decode(headers_with("ce_time", b"2026-11-20T10:30:00+01:00")).time.tzinfo is UTC


def test_foreign_headers_are_ignored_whatever_they_hold() -> None:
    envelope = an_envelope()

    assert decode([("baggage", b"\xff\xfe"), *encode(envelope), ("baggage", b"a"), ("x-empty", None)]) == envelope


@given(st.sampled_from(NAMES), st.binary(max_size=30) | st.text(max_size=30).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_the_short_way_and_the_long_way_read_the_same(name: str, value: bytes) -> None:
    """A stray header is looked at, so its record goes the long way."""
    headers = headers_with(name, value)

    assert _outcome(headers) == _outcome([("baggage", b"\xff"), *headers])


def _outcome(headers: list[tuple[str, bytes | None]]) -> Envelope | str:
    try:
        return decode(headers)
    except BadEnvelope as bad:
        return str(bad)


@pytest.mark.parametrize("name", sorted(MANDATORY))
def test_a_missing_attribute_is_refused(name: str) -> None:
    with pytest.raises(BadEnvelope, match=name):
        decode([(known, value) for known, value in encode(an_envelope()) if known != name])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [None, b"", b"\xff\xfe", b"\x00", b"a\nb"], ids=["null", "empty", "not UTF-8", "NUL", "control"])
def test_a_header_that_is_no_text_is_refused(name: str, value: bytes | None) -> None:
    with pytest.raises(BadEnvelope):
        decode(headers_with(name, value))


@pytest.mark.parametrize("name", NAMES)
def test_a_header_said_twice_is_refused(name: str) -> None:
    headers = encode(an_envelope())

    with pytest.raises(BadEnvelope, match="twice"):
        decode([*headers, (name, dict(headers)[name])])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ce_specversion", "0.3"),
        ("content-type", "application/avro"),
        ("ce_id", "not-a-uuid"),
        ("ce_subject", "0"),
        ("ce_customerid", "null"),
        ("ce_time", "2026-11-20T09:30:00"),
        ("ce_time", "2026-11-20"),
        ("ce_time", "yesterday"),
        ("ce_time", "2026-02-30T00:00:00Z"),
        ("ce_effectivetime", "0001-01-01T00:00:00+23:59"),
        ("ce_effectivetime", "9999-12-31T23:59:59-23:59"),
        ("ce_aggregateversion", "-1"),
        ("ce_aggregateversion", "1.0"),
        ("ce_aggregateversion", "1_000"),
        ("ce_aggregateversion", " 7"),
        ("ce_aggregateversion", "\N{ARABIC-INDIC DIGIT SEVEN}"),
        ("ce_aggregateversion", str(2**63)),
        ("ce_aggregateversion", "9" * 10_000),
        ("ce_sandbox", "True"),
        ("ce_sandbox", "1"),
    ],
)
def test_a_malformed_attribute_is_refused(name: str, value: str) -> None:
    with pytest.raises(BadEnvelope):
        decode(headers_with(name, value.encode()))


@given(
    st.sampled_from(NAMES),
    st.none() | st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")),
)
def test_no_single_header_can_raise_anything_but_a_bad_envelope(name: str, value: bytes | None) -> None:
    _decoded_or_refused(headers_with(name, value))


@given(st.lists(st.tuples(st.sampled_from(NAMES) | st.text(max_size=10), st.none() | st.binary(max_size=30)), max_size=25))
def test_no_headers_can_raise_anything_but_a_bad_envelope(headers: list[tuple[str, bytes | None]]) -> None:
    _decoded_or_refused(headers)
    type_of(headers)


@pytest.mark.parametrize(
    "changes",
    [
        {"time": datetime(2026, 1, 1)},  # noqa: DTZ001 - that is the defect
        {"effective_time": datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1)))},
        {"aggregate_version": -1},
        {"aggregate_version": 2**63},
        {"correlation_id": ""},
        {"correlation_id": "a\r\nb"},
        {"correlation_id": "\ud800"},
        {"type": ""},
    ],
)
def test_an_envelope_that_nobody_could_read_is_not_encoded(changes: dict[str, Any]) -> None:
    with pytest.raises(BadEnvelope):
        encode(an_envelope(**changes))


def test_the_type_is_known_without_decoding_the_rest() -> None:
    assert type_of([("ce_id", b"\xff"), ("ce_type", b"customer.created")]) == "customer.created"
    assert type_of([("ce_type", b"\xff")]) == "\N{REPLACEMENT CHARACTER}"
    assert type_of([("ce_type", None)]) is None
    assert type_of([]) is None


def _decoded_or_refused(headers: list[tuple[str, bytes | None]]) -> None:
    try:
        envelope = decode(headers)
    except BadEnvelope:
        return
    assert decode(encode(envelope)) == envelope
    assert all(isinstance(getattr(envelope, name), UUID) for name in ("id", "subject", "partner_id"))


def _as_sdk_event(envelope: Envelope) -> CloudEvent:
    said = {
        "specversion": "1.0",
        "id": str(envelope.id),
        "source": envelope.source,
        "type": envelope.type,
        "time": envelope.time.astimezone(UTC),
        "subject": str(envelope.subject),
        "datacontenttype": "application/json",
        "dataschema": envelope.data_schema,
        "partitionkey": str(envelope.partition_key),
        "partnerid": str(envelope.partner_id),
        "customerid": str(envelope.customer_id) if envelope.customer_id else None,
        "dataregion": envelope.data_region,
        "aggregatetype": envelope.aggregate_type,
        "aggregateversion": str(envelope.aggregate_version),
        "effectivetime": envelope.effective_time.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "sandbox": json.dumps(envelope.sandbox),
        "causationid": envelope.causation_id,
        "correlationid": envelope.correlation_id,
    }
    return CloudEvent({name: value for name, value in said.items() if value is not None}, {})
