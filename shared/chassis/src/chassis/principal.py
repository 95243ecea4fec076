"""Who is asking."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from contracts.customers.users import UserKind

PARTNERS: Final[frozenset[UserKind]] = frozenset({"partner", "service"})
"""A partner's users, and its API keys as far as their scopes go (MKT-17). What is kept from the one is kept from the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """A signed-in user, as its token says.

    Nothing here changes during a user's life but ``gen``; what may change (roles, status) is
    read from the access projection in the request's own transaction.
    """

    kind: UserKind
    user_id: UUID
    partner_id: UUID
    gen: int
    session_id: UUID | None = None
    customer_id: UUID | None = None
    acting_as: UUID | None = None

    @property
    def tenant(self) -> UUID:
        """The partner in whose name the request runs: the user's own, or the descendant it acts as."""
        return self.acting_as or self.partner_id
