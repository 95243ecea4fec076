"""Clearance: whether a customer that is to be deleted has anything left that it must not have (CUS-62).

The envelope's version is that of the ``customer.changed`` that asked for it.
"""

from typing import ClassVar
from uuid import UUID

from contracts.customers.offboarding import Precondition
from contracts.licensing.subscriptions import SubscriptionStatus
from contracts.records import Fact, Part


class InTheWay(Part):
    """What is in the way: a subscription, or a product that was ordered and is not decided yet."""

    precondition: Precondition
    product: str
    subscription_id: UUID | None
    status: SubscriptionStatus | None


class ClearanceFact(Fact):
    aggregate: ClassVar[str] = "clearance"


class CustomerDeletionCleared(ClearanceFact):
    """There is nothing, and from now on it is sold nothing."""

    topic: ClassVar[str] = "customer.deletion_cleared"


class CustomerDeletionBlocked(ClearanceFact):
    topic: ClassVar[str] = "customer.deletion_blocked"
    in_the_way: list[InTheWay]
