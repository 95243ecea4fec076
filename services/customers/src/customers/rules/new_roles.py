"""What a new role gives where whoever makes it does not say (CUS-88, C-12)."""

from typing import ClassVar

from chassis.policies import Policy
from contracts.customers.roles import Level


class RolesPolicy(Policy):
    """``role_default_access`` is the level of a new role's *All customers* and default: Read/Write, or the least."""

    kind: ClassVar[str] = "roles"

    role_default_access: Level
