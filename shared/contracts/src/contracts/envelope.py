"""The envelope: CloudEvents 1.0 in Kafka binary mode.

Attributes travel as headers ``ce_*``, the value is the record's JSON. The codec is written
by hand because it runs for every record that passes; the CloudEvents SDK is its oracle in
the tests.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

type Headers = Sequence[tuple[str, bytes]]

SPEC_VERSION: Final = b"1.0"
JSON: Final = b"application/json"


class BadEnvelope(ValueError):
    """The headers are no CloudEvent that Partnerdeck could have told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """Who tells what about whom, and when.

    ``time`` is real time; ``effective_time`` is business time (a sandbox lives ahead).
    ``subject`` is the entity, ``aggregate_version`` its version after the transaction.
    ``causation_id`` names the events that led to this one (several are joined by a comma).
    """

    id: UUID
    type: str
    source: str
    time: datetime
    effective_time: datetime
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
    """The headers of a record, in a fixed order (CloudEvents Kafka binding 3.2)."""
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
        ("ce_aggregateversion", str(envelope.aggregate_version)),
        ("ce_effectivetime", _instant(envelope.effective_time)),
        ("ce_sandbox", "true" if envelope.sandbox else "false"),
        ("ce_causationid", envelope.causation_id),
        ("ce_correlationid", envelope.correlation_id),
        ("traceparent", envelope.traceparent),
    ]
    return [
        ("ce_specversion", SPEC_VERSION),
        ("content-type", JSON),
        *((name, value.encode()) for name, value in pairs if value is not None),
    ]


def decode(headers: Headers) -> Envelope:
    """Read the headers of a record back.

    Raises:
        BadEnvelope: an attribute is missing or malformed.
    """
    values = _texts(headers)
    try:
        customer = values.get("ce_customerid")
        return Envelope(
            id=UUID(values["ce_id"]),
            type=values["ce_type"],
            source=values["ce_source"],
            time=_read_instant(values["ce_time"]),
            effective_time=_read_instant(values["ce_effectivetime"]),
            subject=UUID(values["ce_subject"]),
            partner_id=UUID(values["ce_partnerid"]),
            customer_id=UUID(customer) if customer else None,
            aggregate_type=values["ce_aggregatetype"],
            aggregate_version=_read_version(values["ce_aggregateversion"]),
            data_schema=values["ce_dataschema"],
            data_region=values.get("ce_dataregion", "default"),
            sandbox=values.get("ce_sandbox") == "true",
            causation_id=values.get("ce_causationid"),
            correlation_id=values.get("ce_correlationid"),
            traceparent=values.get("traceparent"),
        )
    except KeyError as missing:
        raise BadEnvelope(f"attribute {missing} is missing") from missing
    except ValueError as malformed:
        raise BadEnvelope(str(malformed)) from malformed


def type_of(headers: Headers) -> str | None:
    """The CloudEvents type alone, so that a record nobody here follows is skipped before its body is parsed."""
    for name, value in headers:
        if name == "ce_type":
            return value.decode("utf-8", "replace")
    return None


def _texts(headers: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    try:
        return {name: value.decode() for name, value in headers}
    except (UnicodeDecodeError, AttributeError) as unreadable:
        raise BadEnvelope("a header is not UTF-8 text") from unreadable


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _read_instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise BadEnvelope(f"time {text!r} has no zone")
    return at


def _read_version(text: str) -> int:
    version = int(text)
    if not 0 <= version < 2**63:
        raise BadEnvelope(f"version {text!r} is out of range")
    return version
