"""Updates: how a firmware update that a customer was told to fetch ends (CUS-67)."""

from typing import Literal

from chassis.database import Transaction
from contracts.licensing.firmware import FirmwareUpdateFinished, UpdateOutcome
from licensing.rules.telling import tell_update
from licensing.tables.firmware import FirmwareUpdate

type UpdateStatus = Literal["requested", "updated", "failed"]


async def finish(tx: Transaction, update: FirmwareUpdate, outcome: UpdateOutcome, *, detail: str | None = None) -> None:
    update.status, update.detail, update.finished_at = outcome, detail, tx.now
    finished = FirmwareUpdateFinished(product=update.product, outcome=outcome, requested_at=update.requested_at)
    await tell_update(tx, update, finished)
