"""Remembering how a subscription stands, with each version that is told (BEY-12).

Telling calls it, so no change that is told is forgotten here.
"""

from typing import Final

from sqlalchemy import inspect
from sqlalchemy.dialects.postgresql import insert

from chassis.database import Transaction
from licensing.tables.subscription_moments import SubscriptionMoment
from licensing.tables.subscriptions import Subscription

_KEPT: Final = tuple(name for name in inspect(SubscriptionMoment).columns.keys() if name != "at")  # noqa: SIM118 (no mapping)


async def remember(tx: Transaction, subscription: Subscription) -> None:
    """A version that is known already was imported with its history, and stays as it was."""
    stands = {name: getattr(subscription, name) for name in _KEPT}
    await tx.session.execute(insert(SubscriptionMoment).values(at=tx.now, **stands).on_conflict_do_nothing())
