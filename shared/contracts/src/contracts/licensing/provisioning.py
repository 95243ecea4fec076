"""Provisioning: what became of the products asked for at a customer's creation."""

from typing import ClassVar

from contracts.records import Fact


class ProvisioningRejected(Fact):
    """A product asked for at creation may not be given. The entity is licensing's own record of the item."""

    topic: ClassVar[str] = "provisioning.rejected"
    aggregate: ClassVar[str] = "provisioning"
    item: int
    offer: str
    code: str
    rule: str
    policy_version: str
    remedy: str
