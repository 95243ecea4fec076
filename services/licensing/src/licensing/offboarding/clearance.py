"""Clearance: whether a customer that is to be deleted has a product left, asked of licensing by its state (CUS-62).

Nothing begins for a customer that is not active, and whoever begins something holds it
(``served.hold``): so what is not found here is not there, and will not come. Usage that is not rated is
kept by nobody yet, so *no unbilled usage* always holds.
"""

from typing import Final

from sqlalchemy import select

from chassis.consumers import Event
from chassis.database import Transaction
from contracts.customers.customers import CustomerChanged, CustomerState
from contracts.licensing.clearance import CustomerDeletionBlocked, CustomerDeletionCleared, InTheWay
from contracts.licensing.subscriptions import STANDING
from licensing.rules import served
from licensing.tables.provisionings import Provisioning
from licensing.tables.subscriptions import Subscription

_ACROSS: Final = {"across_partners": "what is left under a former partner is in the way too"}


async def answer(tx: Transaction, event: Event[CustomerChanged]) -> None:
    """Say whether the customer may be deleted, where its state asks for it."""
    state, version = event.record.state, event.envelope.aggregate_version
    if state.status != "deleting" or await served.newer_known(tx, state.id, version):
        return
    left = [*await _subscriptions(tx, state), *await _orders(tx, state)]
    about = tx.entity("clearance", state.id, version=version, customer_id=state.id, data_region=state.data_region)
    tx.tell(CustomerDeletionBlocked(in_the_way=left) if left else CustomerDeletionCleared(), about=about)


async def _subscriptions(tx: Transaction, state: CustomerState) -> list[InTheWay]:
    standing = select(Subscription).where(Subscription.customer_id == state.id, Subscription.status.in_(STANDING))
    rows = await tx.session.scalars(standing.order_by(Subscription.started_at, Subscription.id), execution_options=_ACROSS)
    return [
        InTheWay.model_validate(
            {"precondition": "no_active_subscriptions", "product": one.product, "subscription_id": one.id, "status": one.status}
        )
        for one in rows
    ]


async def _orders(tx: Transaction, state: CustomerState) -> list[InTheWay]:
    """Products asked for that were neither given nor rejected; while it was reviewed none was decided, and none will be."""
    decided = select(Provisioning.item).where(Provisioning.customer_id == state.id)
    done = set((await tx.session.scalars(decided, execution_options=_ACROSS)).all())
    if not done:
        return []
    return [
        InTheWay(precondition="no_pending_orders", product=one.offer, subscription_id=None, status=None)
        for one in state.products
        if one.item not in done
    ]
