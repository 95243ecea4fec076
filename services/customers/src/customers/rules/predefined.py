"""The two roles that every partner has from the first day and nobody edits (CUS-79, CUS-84)."""

from dataclasses import dataclass
from typing import Final

from chassis.access.permissions import EVERYDAY, EVERYTHING
from chassis.database import Transaction
from contracts.customers.roles import RoleCreated
from customers.rules.telling import tell_role
from customers.tables.roles import Role

PARTNER_ADMINISTRATOR: Final = "Partner Administrator"
ADMINISTRATOR: Final = "Administrator"


@dataclass(frozen=True, slots=True)
class Predefined:
    partner_administrator: Role
    administrator: Role


async def give(tx: Transaction) -> Predefined:
    """Give a new partner its roles. Both are Read/Write on all customers, existing and new."""
    first = _role(tx, PARTNER_ADMINISTRATOR, [str(one) for one in EVERYTHING])
    second = _role(tx, ADMINISTRATOR, [str(one) for one in EVERYDAY])
    tx.session.add_all([first, second])
    await tx.session.flush()
    for role in (first, second):
        fact = RoleCreated(name=role.name, permissions=role.permissions, all_customers="read_write", default_level="read_write")
        tell_role(tx, role, fact)
    return Predefined(first, second)


def _role(tx: Transaction, name: str, permissions: list[str]) -> Role:
    return Role(
        partner_id=tx.partner_id,
        id=tx.new_id(),
        name=name,
        predefined=True,
        permissions=permissions,
        all_customers="read_write",
        default_level="read_write",
        customers={},
        tags={},
    )
