"""How a customer goes: disabled and enabled again, unlinked from its partner, deleted and purged (C-2).

Billing keeps these facts for ever, so they carry ids and policies, and name no person. Where a planned
stage came and nobody asked, ``..._by`` is null.
"""

from datetime import datetime
from typing import ClassVar, Final, Literal
from uuid import UUID

from pydantic import Field

from contracts.customers.customers import CustomerFact

type Precondition = Literal["no_active_subscriptions", "no_pending_orders", "no_unbilled_usage"]
type CancelAt = Literal["now", "period_end"]

ERASERS: Final = frozenset({"customers", "licensing", "reporting", "notifications"})
"""The services that erase what they keep of a purged customer, and say so. One that is missing here would not be waited for."""
RELEASERS: Final = frozenset({"licensing", "reporting", "notifications"})
"""The services that keep something of a customer, and say when they keep still about one that is being moved."""


class CustomerDisabled(CustomerFact):
    """Its users are signed out and nothing new is sold to it."""

    topic: ClassVar[str] = "customer.disabled"
    disabled_by: UUID | None


class CustomerEnabled(CustomerFact):
    """It is served again; it was disabled, or deleted and restored."""

    topic: ClassVar[str] = "customer.enabled"
    enabled_by: UUID


class CustomerUnlinked(CustomerFact):
    """The partner runs it no longer and the root party does. Licences under the partner's own programme end when the policy says."""

    topic: ClassVar[str] = "customer.unlinked"
    unlinked_by: UUID | None
    partner_owned_licences: CancelAt
    policy_version: str


class CustomerMoved(CustomerFact):
    """Another partner of the same tree manages it now; who owns it has not changed. Both partners tell it (MKT-02)."""

    topic: ClassVar[str] = "customer.moved"
    from_partner_id: UUID
    to_partner_id: UUID
    moved_by: UUID


class CustomerDeletionRequested(CustomerFact):
    """It is to be deleted, unless one of the preconditions does not hold."""

    topic: ClassVar[str] = "customer.deletion_requested"
    requested_by: UUID | None
    preconditions: list[Precondition]
    policy_version: str


class CustomerDeleted(CustomerFact):
    """It is deleted; it can be restored before ``recoverable_until``, and is purged then."""

    topic: ClassVar[str] = "customer.deleted"
    recoverable_until: datetime
    policy_version: str


class CustomerPurged(CustomerFact):
    """Nothing of it comes back. Every service erases what it keeps of it, and answers ``customer.erased``.

    That is also what it keeps of its users, and of requests for it: imports, and the draft that it was once.
    """

    topic: ClassVar[str] = "customer.purged"
    user_ids: list[UUID]
    request_ids: list[UUID] = Field(default_factory=list)
