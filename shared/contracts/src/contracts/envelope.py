"""The envelope: CloudEvents 1.0 in Kafka binary mode.

Attributes travel as headers ``ce_*``, the value is the record's JSON. The codec is written
by hand because it runs for every record that passes, and goes the short way for what looks as
we write it; the CloudEvents SDK is its oracle in the tests.
"""

import copy
import re
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec

type Headers = Sequence[tuple[str, bytes | None]]
"""What a Kafka client hands over; a header without a value arrives as None."""

SPEC_VERSION: Final = b"1.0"
JSON: Final = b"application/json"

_PLAIN_NAMES: Final = frozenset({"content-type", "traceparent"})
_HEADERS: Final = {
    "id": "ce_id",
    "type": "ce_type",
    "source": "ce_source",
    "time": "ce_time",
    "effective_time": "ce_effectivetime",
    "subject": "ce_subject",
    "partner_id": "ce_partnerid",
    "customer_id": "ce_customerid",
    "aggregate_type": "ce_aggregatetype",
    "aggregate_version": "ce_aggregateversion",
    "data_schema": "ce_dataschema",
    "data_region": "ce_dataregion",
    "sandbox": "ce_sandbox",
    "causation_id": "ce_causationid",
    "correlation_id": "ce_correlationid",
}
_TRUTH: Final = {"true": True, "false": False}
_VERSIONS: Final = 2**63
_PRINTABLE: Final = bytes(range(0x20, 0x7F))
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class BadEnvelope(ValueError):
    """The headers are no CloudEvent that Partnerdeck could have told."""


type Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class Envelope(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename=_HEADERS):
    """Who tells what about whom, and when.

    ``time`` is real time; ``effective_time`` is business time (a sandbox lives ahead).
    ``subject`` is the entity, ``aggregate_version`` its version after the transaction.
    ``causation_id`` names the events that led to this one (several are joined by a comma).
    """

    id: UUID
    type: str
    source: str
    time: Instant
    effective_time: Instant
    subject: UUID
    partner_id: UUID
    customer_id: UUID | None
    aggregate_type: str
    aggregate_version: int
    data_schema: str
    data_region: str = "default"
    sandbox: bool = False
    causation_id: str | None = None
    correlation_id: str | None = None
    traceparent: str | None = None

    @property
    def partition_key(self) -> UUID:
        """What decides the partition, whatever the topic: the customer, else the partner."""
        return self.customer_id or self.partner_id


def encode(envelope: Envelope) -> list[tuple[str, bytes]]:
    """The headers of a record, in a fixed order (CloudEvents Kafka binding 3.2).

    Raises:
        BadEnvelope: ``decode`` would refuse them.
    """
    pairs: list[tuple[str, str | None]] = [
        ("ce_id", str(envelope.id)),
        ("ce_source", envelope.source),
        ("ce_type", envelope.type),
        ("ce_time", _instant(envelope.time)),
        ("ce_subject", str(envelope.subject)),
        ("ce_partitionkey", str(envelope.partition_key)),
        ("ce_dataschema", envelope.data_schema),
        ("ce_partnerid", str(envelope.partner_id)),
        ("ce_customerid", str(envelope.customer_id) if envelope.customer_id else None),
        ("ce_dataregion", envelope.data_region),
        ("ce_aggregatetype", envelope.aggregate_type),
        ("ce_aggregateversion", _version(envelope.aggregate_version)),
        ("ce_effectivetime", _instant(envelope.effective_time)),
        ("ce_sandbox", "true" if envelope.sandbox else "false"),
        ("ce_causationid", envelope.causation_id),
        ("ce_correlationid", envelope.correlation_id),
        ("traceparent", envelope.traceparent),
    ]
    said = [(name, value) for name, value in pairs if value is not None]
    _check_texts([value for _, value in said])
    try:
        return [("ce_specversion", SPEC_VERSION), ("content-type", JSON), *((name, value.encode()) for name, value in said)]
    except UnicodeEncodeError as unspeakable:
        raise BadEnvelope("an attribute is no Unicode text") from unspeakable


def decode(headers: Headers) -> Envelope:
    """Read the headers of a record back. Headers that are none of the envelope's are ignored.

    Raises:
        BadEnvelope: an attribute is missing, malformed or said twice.
    """
    values: dict[str, Any] = _texts_as_we_write(headers) or _texts(headers)
    try:
        _check_form(values)
        values["ce_aggregateversion"] = _read_version(values["ce_aggregateversion"])
        values["ce_sandbox"] = _TRUTH[values.get("ce_sandbox", "false")]
        values.setdefault("ce_customerid", None)
        envelope = msgspec.convert(values, Envelope)
        if envelope.time.tzinfo is not UTC or envelope.effective_time.tzinfo is not UTC:
            return copy.replace(envelope, time=envelope.time.astimezone(UTC), effective_time=envelope.effective_time.astimezone(UTC))
    except KeyError as missing:
        raise BadEnvelope(f"attribute or value {missing} is missing or unknown") from missing
    except BadEnvelope:
        raise
    except (ValueError, OverflowError) as malformed:
        raise BadEnvelope(str(malformed)) from malformed
    return envelope


def type_of(headers: Headers) -> str | None:
    """The CloudEvents type alone, so that a record nobody here follows is skipped before its body is parsed."""
    for name, value in headers:
        if name == "ce_type" and value is not None:
            return value.decode("utf-8", "replace")
    return None


def _texts_as_we_write(headers: Headers) -> dict[str, str] | None:
    """What plain headers say, each name once; None where anything at all has to be looked at."""
    try:
        values = {name: value.decode() for name, value in headers}  # type: ignore[union-attr]  # one that is None has no text
    except (AttributeError, UnicodeDecodeError):
        return None
    strange = "".join(values.values()).encode().translate(None, _PRINTABLE)
    return None if strange or "" in values.values() or len(values) < len(headers) else values


def _texts(headers: Headers) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in headers:
        if not name.startswith("ce_") and name not in _PLAIN_NAMES:
            continue
        if value is None or name in values:
            raise BadEnvelope(f"header {name} is {'empty' if value is None else 'said twice'}")
        try:
            values[name] = value.decode()
        except UnicodeDecodeError as unreadable:
            raise BadEnvelope(f"header {name} is not UTF-8 text") from unreadable
    _check_texts(values.values())
    return values


def _check_form(values: dict[str, str]) -> None:
    if values["ce_specversion"] != "1.0":
        raise BadEnvelope(f"CloudEvents {values['ce_specversion']!r} is not spoken here")
    if values.get("content-type", "application/json").partition(";")[0].strip().lower() != "application/json":
        raise BadEnvelope(f"content type {values['content-type']!r} is not JSON")


def _check_texts(texts: Collection[str]) -> None:
    """CloudEvents attributes are neither empty nor contain control characters (and PostgreSQL takes no NUL)."""
    if "" in texts or _CONTROL.search("".join(texts)):
        raise BadEnvelope("an attribute is empty or has control characters")


def _instant(at: datetime) -> str:
    if at.tzinfo is None:
        raise BadEnvelope(f"time {at} has no zone")
    try:
        return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except OverflowError as beyond:
        raise BadEnvelope(f"time {at} is out of range") from beyond


def _version(version: int) -> str:
    if not 0 <= version < _VERSIONS:
        raise BadEnvelope(f"version {version} is out of range")
    return str(version)


def _read_version(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(_VERSIONS))):
        raise BadEnvelope(f"version {text[:80]!r} is no whole number")
    version = int(text)
    if version >= _VERSIONS:
        raise BadEnvelope(f"version {version} is out of range")
    return version
