"""Products that were asked for and not given, from ``provisioning.rejected``, for the attention of their customers (CUS-30)."""

from collections.abc import Sequence
from typing import Any, Final

from chassis.consumers import Event, Projection
from chassis.consumers.events import Tombstone
from chassis.consumers.upserts import upsert
from chassis.database.worker import Work
from chassis.failures import Poison
from contracts.licensing.provisioning import ProvisioningRejected
from reporting.rules import homes
from reporting.rules.product_use import KEPT, recount
from reporting.tables.provisioning_rejections import ProvisioningRejection

_TABLE: Final = ProvisioningRejection.metadata.tables[ProvisioningRejection.__tablename__]


async def project(work: Work, events: Sequence[Event[ProvisioningRejected]]) -> None:
    """Remember what was refused, and let the customers' rows show it."""
    wanted = [event for event in await homes.kept(work, events, reported=False) if event.envelope.customer_id is not None]
    if not wanted:
        return
    await upsert(work.session, _TABLE, [_row(event) for event in wanted])
    customers = {event.envelope.customer_id for event in wanted if event.envelope.customer_id is not None}
    await homes.settle(work, customers)
    await recount(work, customers)


async def refuse(_work: Work, _ended: Sequence[Tombstone]) -> None:
    """What was refused once stays so.

    Raises:
        Poison: always.
    """
    raise Poison("a refusal without a body")


def _row(event: Event[ProvisioningRejected]) -> dict[str, Any]:
    said = event.envelope
    return {
        "partner_id": said.partner_id,
        "id": said.subject,
        "version": said.aggregate_version,
        "customer_id": said.customer_id,
        "offer": event.record.offer,
        "code": event.record.code,
        "at": said.effective_time,
    }


PROJECTION: Final = Projection(
    name="provisioning rejections",
    record=ProvisioningRejected,
    apply=project,
    forget=refuse,
    keeps=(*KEPT, "provisioning_rejections"),
)
