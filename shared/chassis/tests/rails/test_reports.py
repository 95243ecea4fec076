"""What programs outside the suite report is held against its envelope: about whom is said twice, and must be said alike."""

from copy import replace
from typing import Any

import pytest

from chassis.consumers.events import Event, Place
from chassis.consumers.parking import Raw
from chassis.consumers.reading import read_record
from chassis.failures import Poison
from chassis.ids import new_id
from contracts import samples
from contracts.envelope import encode
from contracts.products.deployments import ProductDeploymentAcknowledged
from contracts.products.endpoints import EndpointReported
from contracts.products.reports import Report

EACH_REPORT = pytest.mark.parametrize("report", [EndpointReported, ProductDeploymentAcknowledged], ids=lambda report: report.topic)


def arriving(report: type[Report], **otherwise: Any) -> Raw:
    envelope = replace(samples.envelope(report), **otherwise)
    payload = samples.records(report)[0].payload()
    key = str(envelope.partition_key).encode()
    return Raw(place=Place(topic=report.topic, partition=0, offset=0), headers=encode(envelope), key=key, payload=payload, timestamp_ms=0)


@EACH_REPORT
def test_a_report_that_agrees_with_its_envelope_is_read(report: type[Report]) -> None:
    read = read_record(report, arriving(report, source="/connectors/endpoint"))

    assert isinstance(read, Event)
    assert read.record == samples.records(report)[0]


@EACH_REPORT
def test_a_report_about_another_customer_or_entity_than_its_envelope_says_is_refused(report: type[Report]) -> None:
    with pytest.raises(Poison, match="is not the data's customer"):
        read_record(report, arriving(report, customer_id=new_id()))
    with pytest.raises(Poison, match="is not the data's customer"):
        read_record(report, arriving(report, customer_id=None))
    with pytest.raises(Poison, match=f"is not the data's {report.entity}"):
        read_record(report, arriving(report, subject=new_id()))


@pytest.mark.parametrize(
    ("said", "instead", "fault"),
    [
        (b'"detections":3', b'"detections":-1', "detections: greater_than_equal"),
        (b'"kind":"computer"', b'"kind":"toaster"', "kind: literal_error"),
        (b'15.250000Z"', b'15.250000"', "last_seen_at: value_error"),
        (b'"agent_version":"14.3.1"', b'"agent_version":""', "agent_version: string_too_short"),
    ],
)
def test_values_that_no_endpoint_has_are_refused_by_name(said: bytes, instead: bytes, fault: str) -> None:
    raw = arriving(EndpointReported)
    assert raw.payload is not None
    changed = raw.payload.replace(said, instead)
    assert changed != raw.payload

    with pytest.raises(Poison, match=fault):
        read_record(EndpointReported, replace(raw, payload=changed))
