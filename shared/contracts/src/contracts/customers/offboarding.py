"""How a customer goes: disabled and enabled again, unlinked from its partner, deleted and purged (C-2).

Billing keeps these facts for ever, so they carry ids and policies, and name no person.
"""

from typing import ClassVar
from uuid import UUID

from contracts.customers.customers import CustomerFact


class CustomerDisabled(CustomerFact):
    """Its users are signed out and nothing new is sold to it; ``disabled_by`` is null where a planned stage came."""

    topic: ClassVar[str] = "customer.disabled"
    disabled_by: UUID | None


class CustomerEnabled(CustomerFact):
    """It is served again; ``enabled_by`` is who said so."""

    topic: ClassVar[str] = "customer.enabled"
    enabled_by: UUID
