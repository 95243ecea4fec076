"""Products: what a customer has that is not over, as licensing told it last; the law is licensing's own answer."""

from typing import Final
from uuid import UUID

from sqlalchemy import Select, select

from chassis.database import Transaction
from contracts.licensing.subscriptions import STANDING
from customers.tables.known import KnownSubscription

_SOME: Final = 100
"""As many are named; nobody reads more of them in a problem."""


async def has(tx: Transaction, customer_id: UUID, offer: str) -> bool:
    """Whether a customer has something by an offer that is not over."""
    found = _standing(tx, customer_id).where(KnownSubscription.offer == offer).limit(1)
    return (await tx.session.scalars(found)).first() is not None


async def standing(tx: Transaction, customer_id: UUID) -> list[KnownSubscription]:
    """The first hundred subscriptions of a customer that are not over."""
    found = _standing(tx, customer_id).order_by(KnownSubscription.product, KnownSubscription.id)
    return list(await tx.session.scalars(found.limit(_SOME)))


def _standing(tx: Transaction, customer_id: UUID) -> Select[KnownSubscription]:
    return select(KnownSubscription).where(
        KnownSubscription.partner_id == tx.partner_id,
        KnownSubscription.customer_id == customer_id,
        KnownSubscription.status.in_(STANDING),
    )
