"""From bytes to events: what is no such record is poison, and says why.

The type is looked at before the body, so a record that nobody here follows costs one header.
"""

from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError

from chassis.consumers.events import Event, Tombstone
from chassis.consumers.parking import Raw
from chassis.failures import Poison, faults_of
from contracts.envelope import BadEnvelope, Envelope, decode, type_of
from contracts.products.reports import Report
from contracts.records import Record, State

_LONGEST_SOURCE: Final = 255


def follows(record: type[Record], raw: Raw) -> bool:
    """Whether a record may be of this type; a tombstone and one that does not say count, and are looked at."""
    return raw.payload is None or type_of(raw.headers) in {record.topic, None}


def subject_of(raw: Raw) -> UUID | None:
    """Whom a record is about, as far as that can be read at all."""
    for name, value in raw.headers:
        if name == "ce_subject" and value is not None:
            try:
                return UUID(value.decode())
            except ValueError:
                return None
    return None


def read_record(record: type[Record], raw: Raw) -> Event[Any] | Tombstone:
    """Decode one record.

    Raises:
        Poison: it is no such record, or what it says of itself does not agree.
    """
    if raw.payload is None:
        return Tombstone(entity_id=_entity_of(raw), place=raw.place)
    try:
        envelope = decode(raw.headers)
        decoded = record.read(raw.payload)
    except ValidationError as broken:
        raise Poison(f"cannot be read: {faults_of(broken)}") from broken
    except (BadEnvelope, RecursionError) as broken:
        raise Poison(f"cannot be read: {broken}") from broken
    _agree(record, raw, envelope, decoded)
    return Event(envelope=envelope, record=decoded, place=raw.place)


def _agree(record: type[Record], raw: Raw, envelope: Envelope, decoded: Record) -> None:
    """Type, tenant, key and entity are said twice each; a state that disagrees would write somebody else's row."""
    if envelope.type != record.topic:
        raise Poison(f"type {envelope.type!r} in topic {raw.place.topic!r}")
    if len(envelope.source) > _LONGEST_SOURCE:
        raise Poison(f"a source of {len(envelope.source)} characters")
    told = getattr(decoded, "state", decoded)
    partner_in_data = getattr(told, "partner_id", None)
    if partner_in_data is not None and partner_in_data != envelope.partner_id:
        raise Poison(f"ce_partnerid {envelope.partner_id} is not the data's partner {partner_in_data}")
    if isinstance(decoded, Report):
        _agree_on_report(envelope, decoded)
    if not issubclass(record, State):
        return
    if raw.key != str(envelope.subject).encode():
        raise Poison(f"the key is not ce_subject {envelope.subject}")
    entity = getattr(told, "id", envelope.subject)
    if entity != envelope.subject:
        raise Poison(f"ce_subject {envelope.subject} is not the data's entity {entity}")


def _agree_on_report(envelope: Envelope, report: Report) -> None:
    """Programs outside the suite say customer and entity in the data, and must say the same around it."""
    if envelope.customer_id != report.customer_id:
        raise Poison(f"ce_customerid {envelope.customer_id} is not the data's customer {report.customer_id}")
    entity = getattr(report, report.entity)
    if entity != envelope.subject:
        raise Poison(f"ce_subject {envelope.subject} is not the data's {report.entity} {entity}")


def _entity_of(raw: Raw) -> UUID:
    try:
        return UUID((raw.key or b"").decode())
    except ValueError as bad:
        raise Poison("a tombstone without an entity's id as its key") from bad
