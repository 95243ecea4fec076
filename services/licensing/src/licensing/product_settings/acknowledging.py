"""Acknowledging: what a product says of a policy or an update that was asked of it ends that (CUS-66, CUS-67).

What is not known here, or over already, is not changed by an answer that comes late: its customer was
purged, or something newer took its place. An answer that cannot be read holds up no other.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select

from chassis.consumers import Event, Projection
from chassis.consumers.events import Tombstone
from chassis.database import Transaction, Work
from contracts.products.deployments import ProductDeploymentAcknowledged
from licensing.rules import deployments, served, setting, updates
from licensing.tables.firmware import FirmwareUpdate
from licensing.tables.product_settings import PolicyDeployment


async def _apply(work: Work, events: Sequence[Event[ProductDeploymentAcknowledged]]) -> None:
    """In the name of the partner that has the customer now, whoever the answer names."""
    for event in events:
        if (customer := await served.held(work.session, event.record.customer_id)) is not None:
            async with work.item(customer.partner_id, cause=event.envelope) as tx:
                await note(tx, event)


async def _end(_work: Work, _ended: Sequence[Tombstone]) -> None:
    """No answer comes without a body."""


async def note(tx: Transaction, event: Event[ProductDeploymentAcknowledged]) -> None:
    """Finish what the product answers for."""
    said = event.record
    await setting.alone(tx, said.customer_id, said.product)
    deployment = await _asked(tx, PolicyDeployment, said)
    if deployment is not None:
        await deployments.finish(tx, deployment, said.outcome, detail=said.detail)
    update = await _asked(tx, FirmwareUpdate, said)
    if update is not None and said.outcome == "failed":
        await updates.finish(tx, update, "failed", detail=said.detail)


async def _asked[Asked: (PolicyDeployment, FirmwareUpdate)](
    tx: Transaction, noun: type[Asked], said: ProductDeploymentAcknowledged
) -> Asked | None:
    """What is open of this id, of this customer and product."""
    same = (noun.id == said.deployment_id, noun.customer_id == said.customer_id, noun.product == said.product)
    mine = select(noun).where(noun.partner_id == tx.partner_id, *same, noun.status == "requested").with_for_update()
    return (await tx.session.scalars(mine, execution_options={"populate_existing": True})).one_or_none()


ANSWERS: Final = Projection(name="licensing.acknowledging", record=ProductDeploymentAcknowledged, apply=_apply, forget=_end)
