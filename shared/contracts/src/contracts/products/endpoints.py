"""Endpoints: the computers, phones and appliances that products protect."""

from typing import ClassVar, Literal
from uuid import UUID

from contracts.products.reports import Count, Instant, Line, Report
from contracts.records import Personal

type EndpointKind = Literal["computer", "mac", "mobile", "appliance"]
type Protection = Literal["protected", "disabled", "activation_required"]


class EndpointReported(Report):
    """The whole state of one endpoint, under the version that its connector counts: applied if higher than what is known, else dropped.

    ``endpoint_id`` is the connector's own and the same for as long as the product knows the device. ``product`` is the
    catalogue's key. ``infected_items`` are detections that nothing has dealt with yet: the device is at risk.
    ``deployed_at`` is when the product came onto the device.
    A device that the product knows no longer is reported once more as ``deleted``; ``name`` may then be left out.
    """

    topic: ClassVar[str] = "endpoint.reported"
    aggregate: ClassVar[str] = "endpoint"
    entity: ClassVar[str] = "endpoint_id"
    endpoint_id: UUID
    kind: EndpointKind
    protection: Protection
    last_seen_at: Instant
    deployed_at: Instant | None = None
    name: Personal[Line | None] = None
    group: Line | None = None
    agent_version: Line | None = None
    agent_update_required: bool = False
    definitions_update_required: bool = False
    firmware_version: Line | None = None
    firmware_update_required: bool = False
    risks_blocked: Count = 0
    quarantined_items: Count = 0
    infected_items: Count = 0
    detections: Count = 0
    deleted: bool = False
