"""What a new role gives where whoever makes it does not say: the partner's own choice, else the policy (CUS-88, C-12)."""

from typing import ClassVar, Literal, cast

from sqlalchemy import select

from chassis.database import Transaction
from chassis.policies import Policy
from customers.rules import policies
from customers.tables.roles import RoleDefault

type StartingLevel = Literal["none", "read_write"]


class RolesPolicy(Policy):
    """``role_default_access`` is the level of a new role's *All customers* and default: Read/Write, or the least."""

    kind: ClassVar[str] = "roles"

    role_default_access: StartingLevel


async def starting_level(tx: Transaction) -> StartingLevel:
    """The level of the role that is made in this transaction."""
    chosen = select(RoleDefault.access).where(RoleDefault.partner_id == tx.partner_id, RoleDefault.id == tx.partner_id)
    access = cast("StartingLevel | None", (await tx.session.scalars(chosen)).one_or_none())
    return access or (await policies.in_force(tx, RolesPolicy)).policy.role_default_access
