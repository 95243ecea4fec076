"""Rehoming: a customer's subscriptions go with it to the partner that manages it now, and are told as that partner's.

Its products stay as they are set. By which template of the former partner is not the new one's affair.
"""

from typing import Final
from uuid import UUID

from sqlalchemy import select, update

from chassis.consumers import Event
from chassis.database import Transaction
from chassis.rehoming import elsewhere, rehome, rehome_due
from contracts.customers.customers import CustomerChanged
from licensing.rules import served
from licensing.rules.telling import end_subscription, tell_subscription
from licensing.tables.customers import eulas
from licensing.tables.firmware import Appliance, FirmwareUpdate
from licensing.tables.product_settings import PolicyDeployment, ProductSettings
from licensing.tables.provisionings import Provisioning
from licensing.tables.subscription_moments import SubscriptionMoment
from licensing.tables.subscriptions import Subscription

_GOING_ALONG: Final = (eulas, Provisioning, SubscriptionMoment, ProductSettings, PolicyDeployment, Appliance, FirmwareUpdate)
_ACROSS = {"across_partners": "what is still kept under the customer's former partner is looked for"}


async def follow(tx: Transaction, event: Event[CustomerChanged]) -> None:
    """Let everything of a customer be its partner's."""
    customer_id, version = event.envelope.subject, event.envelope.aggregate_version
    if not await elsewhere(tx, customer_id, Subscription, *_GOING_ALONG) or await served.newer_known(tx, customer_id, version):
        return
    subscription_ids = await _elsewhere(tx, customer_id, Subscription)
    await rehome_due(tx, [*subscription_ids, *await _elsewhere(tx, customer_id, PolicyDeployment)])
    await _forget_templates(tx, customer_id)
    await rehome(tx, customer_id, *_GOING_ALONG)
    if subscription_ids:
        await _take(tx, subscription_ids)


async def _elsewhere(tx: Transaction, customer_id: UUID, noun: type[Subscription | PolicyDeployment]) -> list[UUID]:
    left = select(noun.id).where(noun.customer_id == customer_id, noun.partner_id != tx.partner_id)
    return list(await tx.session.scalars(left.order_by(noun.id), execution_options=_ACROSS))


async def _forget_templates(tx: Transaction, customer_id: UUID) -> None:
    theirs = (ProductSettings.customer_id == customer_id, ProductSettings.partner_id != tx.partner_id)
    forgotten = update(ProductSettings).where(*theirs).values(template_id=None, template_version=None, template_name=None)
    await tx.session.execute(forgotten, execution_options=_ACROSS | {"synchronize_session": False})


async def _take(tx: Transaction, subscription_ids: list[UUID]) -> None:
    """One version higher, so that whoever follows them knows the newer word."""
    theirs = (Subscription.id.in_(subscription_ids), Subscription.partner_id != tx.partner_id)
    taken = update(Subscription).where(*theirs).values(partner_id=tx.partner_id, version=Subscription.version + 1)
    await tx.session.execute(taken, execution_options=_ACROSS | {"synchronize_session": False})
    mine = select(Subscription).where(Subscription.partner_id == tx.partner_id, Subscription.id.in_(subscription_ids))
    for subscription in await tx.session.scalars(mine.order_by(Subscription.id), execution_options={"populate_existing": True}):
        await (end_subscription if subscription.forgotten_at else tell_subscription)(tx, subscription)
