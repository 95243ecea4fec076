"""Telling is strict and reading is lenient, and no bytes can do worse to a reader than fail to validate."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts import samples
from contracts.catalogue import BY_TOPIC, RECORDS, facts, states
from contracts.customers.customers import CustomerChanged, ProductAsked
from contracts.licensing.billing import BillingLineRated
from contracts.licensing.subscriptions import TrialStarted
from contracts.records import Record

EACH_RECORD = pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.topic)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


def test_every_record_has_a_topic_of_its_own() -> None:
    assert len(BY_TOPIC) == len(RECORDS)
    assert len(facts()) + len(states()) == len(RECORDS)


@EACH_RECORD
def test_a_record_survives_the_wire(record: type[Record]) -> None:
    for told in samples.records(record):
        assert record.read(told.payload()) == told


@EACH_RECORD
def test_the_samples_are_the_same_every_time(record: type[Record]) -> None:
    assert samples.records(record) == samples.records(record)
    assert samples.envelope(record) == samples.envelope(record)


@EACH_RECORD
def test_an_unknown_field_cannot_be_told(record: type[Record]) -> None:
    said = samples.records(record)[0].model_dump() | {"surprise": 1}

    with pytest.raises(ValidationError, match="extra_forbidden"):
        record(**said)


@EACH_RECORD
def test_an_unknown_field_is_ignored_when_read_at_every_depth(record: type[Record]) -> None:
    told = samples.records(record)[0]
    newer = _with_surprises(json.loads(told.payload()), type(told).model_json_schema())

    assert record.read(json.dumps(newer).encode()) == told


@EACH_RECORD
@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"facts": "\\ud800"}',
        b"NaN",
        b"1e999",
        b"1" + b"0" * 10_000,
    ],
    ids=["empty", "null", "list", "binary", "deep list", "deep object", "surrogate", "NaN", "infinite", "huge"],
)
def test_bytes_that_are_no_record_are_refused(record: type[Record], payload: bytes) -> None:
    with pytest.raises(ValidationError):
        record.read(payload)


@EACH_RECORD
@pytest.mark.parametrize("value", ["NaN", "-Infinity", "1e999", '"\\ud800"', "[" * 500 + "]" * 500, "1" + "0" * 5_000])
def test_no_value_in_any_field_does_worse_than_fail_to_validate(record: type[Record], value: str) -> None:
    said = json.loads(samples.records(record)[0].payload())
    for field in said:
        payload = json.dumps(said | {field: "HERE"}).replace('"HERE"', value).encode()
        try:
            record.read(payload).payload()
        except ValidationError:
            continue


@given(JSON)
def test_an_answer_that_can_be_told_can_be_read(answer: Any) -> None:
    try:
        told = _asking({"question": answer}).payload()
    except ValidationError:
        return

    assert CustomerChanged.read(told) == _asking({"question": answer})


@pytest.mark.parametrize("value", [b"NaN", b"Infinity", b"-1e999", b"9223372036854775808", b"[" * 70 + b"]" * 70])
def test_an_answer_that_some_reader_could_not_hold_is_refused(value: bytes) -> None:
    told = _asking({"question": "HERE"}).payload()

    with pytest.raises(ValidationError):
        CustomerChanged.read(told.replace(b'"HERE"', value))


def test_an_answer_with_half_a_character_is_refused_when_told() -> None:
    for answers in ({"question": "\ud800"}, {"\ud800": "answer"}, {"question": [{"inner": "\udfff"}]}):
        with pytest.raises(ValidationError):
            _asking(answers)


def test_an_answer_with_a_nul_character_is_refused_told_or_read() -> None:
    """CUS-15: PostgreSQL stores none, in a value as little as in a name."""
    for answers in ({"question": "a\0b"}, {"a\0b": "answer"}, {"question": [{"inner": {"\0": 1}}]}):
        with pytest.raises(ValidationError):
            _asking(answers)
    with pytest.raises(ValidationError):
        CustomerChanged.read(_asking({"question": "HERE"}).payload().replace(b"HERE", rb"\u0000"))


def test_money_travels_as_text_so_that_no_reader_rounds_it() -> None:
    line = samples.records(BillingLineRated)[0]

    assert json.loads(line.payload())["amount"] == "12.50"


def test_a_record_cannot_be_changed_after_it_was_made() -> None:
    trial = samples.records(TrialStarted)[0]

    with pytest.raises(ValidationError, match="frozen_instance"):
        trial.seats = 51  # type: ignore[attr-defined]


def test_a_state_is_refused_when_it_says_only_a_part() -> None:
    said = json.loads(samples.records(CustomerChanged)[0].payload())
    del said["state"]["company"]

    with pytest.raises(ValidationError, match=r"state\.company"):
        CustomerChanged.read(json.dumps(said).encode())


def _asking(answers: dict[str, Any]) -> CustomerChanged:
    product = ProductAsked(item=1, offer="endpoint-cloud", kind="trial", quantity=None, answers=answers)
    told = samples.records(CustomerChanged)[0]
    return CustomerChanged(facts=[], state=told.state.model_copy(update={"products": [product]}))


def _with_surprises(data: Any, schema: dict[str, Any], node: dict[str, Any] | None = None) -> Any:
    """``data`` with one more field in every object that is a part (a mapping's keys are data)."""
    node = schema if node is None else node
    if "$ref" in node:
        node = schema["$defs"][node["$ref"].removeprefix("#/$defs/")]
    for branch in node.get("anyOf", ()):
        if "$ref" in branch and isinstance(data, dict):
            return _with_surprises(data, schema, branch)
    if isinstance(data, list):
        return [_with_surprises(item, schema, node.get("items", {})) for item in data]
    if isinstance(data, dict) and "properties" in node:
        grown = {name: _with_surprises(value, schema, node["properties"][name]) for name, value in data.items()}
        return grown | {"from_a_newer_teller": {"any": ["thing"]}}
    return data
