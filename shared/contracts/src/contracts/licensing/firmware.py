"""Firmware: customers are told to fetch an update that their appliances require (CUS-67)."""

from datetime import datetime
from typing import ClassVar, Final, Literal
from uuid import UUID

from contracts.records import Fact

type UpdateOutcome = Literal["updated", "failed"]

MOST_NAMED: Final = 1_000


class FirmwareUpdateFact(Fact):
    aggregate: ClassVar[str] = "firmware_update"
    product: str


class FirmwareUpdateRequested(FirmwareUpdateFact):
    """``appliances`` of the customer require it; ``endpoint_ids`` names them, a thousand at most."""

    topic: ClassVar[str] = "firmware.update_requested"
    product_name: str
    appliances: int
    endpoint_ids: list[UUID]


class FirmwareUpdateFinished(FirmwareUpdateFact):
    """``updated``: no appliance of the customer requires one any more. ``failed``: the product said so."""

    topic: ClassVar[str] = "firmware.update_finished"
    outcome: UpdateOutcome
    requested_at: datetime
