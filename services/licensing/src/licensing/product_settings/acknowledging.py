"""Acknowledging: what a product says of a policy or an update that was asked of it ends that (CUS-66, CUS-67).

What is not known here, or over already, is not changed by an answer that comes late: its customer was
purged, or something newer took its place.
"""

from typing import Final
from uuid import UUID

from sqlalchemy import select

from chassis.consumers import Event
from chassis.database import Transaction
from contracts.products.deployments import ProductDeploymentAcknowledged
from licensing.rules import deployments, setting, updates
from licensing.tables.firmware import FirmwareUpdate
from licensing.tables.product_settings import PolicyDeployment

_ACROSS: Final = {"across_partners": "a product answers for a customer, whosever it is by now", "populate_existing": True}


async def note(tx: Transaction, event: Event[ProductDeploymentAcknowledged]) -> None:
    """Finish what the product answers for."""
    said = event.record
    await setting.alone(tx, said.customer_id, said.product)
    deployment = await _asked(tx, PolicyDeployment, said)
    if deployment is not None:
        async with setting.in_name_of(tx, deployment.partner_id) as its_partner:
            await deployments.finish(its_partner, deployment, said.outcome, detail=said.detail)
    update = await _asked(tx, FirmwareUpdate, said)
    if update is not None and said.outcome == "failed":
        async with setting.in_name_of(tx, update.partner_id) as its_partner:
            await updates.finish(its_partner, update, "failed", detail=said.detail)


async def _asked[Asked: (PolicyDeployment, FirmwareUpdate)](
    tx: Transaction, noun: type[Asked], said: ProductDeploymentAcknowledged
) -> Asked | None:
    """What is open of this id, of this customer and product."""
    named: tuple[UUID, UUID, str] = (said.deployment_id, said.customer_id, said.product)
    same = (noun.id == named[0], noun.customer_id == named[1], noun.product == named[2], noun.status == "requested")
    return (await tx.session.scalars(select(noun).where(*same).with_for_update(), execution_options=_ACROSS)).one_or_none()
