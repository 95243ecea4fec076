"""Remembering who could do what: a row for each change of a user, a role or a customer that rights depend on (BEY-12).

Telling calls it, so no change that is told is forgotten here.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import delete

from chassis.database import Transaction
from customers.tables.customers import Customer
from customers.tables.rights_history import RightsMoment
from customers.tables.roles import Role
from customers.tables.users import User


def remember_user(tx: Transaction, user: User) -> None:
    """What a customer's users may do follows from their kind alone."""
    if user.kind != "customer":
        said = {"kind": user.kind, "status": user.status, "role_ids": [str(one) for one in user.role_ids]}
        _remember(tx, "user", user.id, user.version, said)


def remember_role(tx: Transaction, role: Role) -> None:
    levels = {"all_customers": role.all_customers, "default_level": role.default_level, "customers": role.customers, "tags": role.tags}
    _remember(tx, "role", role.id, role.version, {"name": role.name, "permissions": role.permissions, **levels})


def remember_customer(tx: Transaction, customer: Customer) -> None:
    _remember(tx, "customer", customer.id, customer.version, {"tags": customer.tags})


def end_role(tx: Transaction, role: Role) -> None:
    _remember(tx, "role", role.id, role.version + 1, None)


def end_user(tx: Transaction, user: User) -> None:
    _remember(tx, "user", user.id, user.version + 1, None)


def end_customer(tx: Transaction, customer: Customer) -> None:
    """From its present version on it is not this partner's any more."""
    _remember(tx, "customer", customer.id, customer.version, None)


async def erase_customer(tx: Transaction, customer_id: UUID) -> None:
    """Nothing is kept of a customer that was purged, with whichever partner it was; for workers, whom no policy holds to one."""
    kept = delete(RightsMoment).where(RightsMoment.subject == customer_id)
    await tx.session.execute(kept, execution_options={"across_partners": "it may have changed hands"})


def _remember(tx: Transaction, kind: str, subject: UUID, version: int, state: dict[str, Any] | None) -> None:
    tx.session.add(RightsMoment(partner_id=tx.partner_id, subject=subject, version=version, kind=kind, at=tx.now, state=state))
