"""Products: what a customer has that is not over, as licensing told it last; the law is licensing's own answer."""

from typing import Final
from uuid import UUID

from sqlalchemy import select

from chassis.database import Transaction
from contracts.licensing.subscriptions import STANDING
from customers.tables.known import KnownSubscription

_SOME: Final = 100
"""As many are named; nobody reads more of them in a problem."""


async def standing(tx: Transaction, customer_id: UUID) -> list[KnownSubscription]:
    """The first hundred subscriptions of a customer that are not over."""
    found = (
        select(KnownSubscription)
        .where(KnownSubscription.partner_id == tx.partner_id, KnownSubscription.customer_id == customer_id)
        .where(KnownSubscription.status.in_(STANDING))
        .order_by(KnownSubscription.product, KnownSubscription.id)
        .limit(_SOME)
    )
    return list(await tx.session.scalars(found))
