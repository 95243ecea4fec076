"""Custom roles: made, edited and deleted by those who manage roles (CUS-80, CUS-86 to CUS-91).

A change of a role takes effect everywhere within five seconds. Who has a role does not change it, and a role
that somebody has is not deleted.
"""

from dataclasses import dataclass, fields, replace
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from chassis.database import Transaction
from chassis.http.etags import Seen
from contracts.customers.roles import Level, RoleCreated
from customers.errors.roles import RoleInUse, RoleNameTaken
from customers.rules import roles
from customers.rules.constraints import broken
from customers.rules.new_roles import starting_level
from customers.rules.objections import Objections
from customers.rules.telling import tell_role, tell_role_ending
from customers.tables.roles import Role
from customers.tables.users import User

_MOST_NAMED: Final = 20


class Unsaid:
    """Left out of a body, which is not the same as null."""


UNSAID: Final = Unsaid()


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleSaid:
    """What somebody says of a role: all that is left out stays as it is, or is as the policy has it."""

    name: str | Unsaid = UNSAID
    permissions: tuple[str, ...] | Unsaid = UNSAID
    all_customers: Level | Unsaid | None = UNSAID
    default_level: Level | Unsaid = UNSAID
    customers: dict[UUID, Level] | Unsaid = UNSAID
    tags: dict[str, Level] | Unsaid = UNSAID

    def said(self) -> dict[str, Any]:
        return {one.name: value for one in fields(self) if not isinstance(value := getattr(self, one.name), Unsaid)}


@dataclass(frozen=True, slots=True, kw_only=True)
class EditRole:
    """``seen`` is the version that the caller has seen."""

    role_id: UUID
    seen: Seen
    role: RoleSaid


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteRole:
    role_id: UUID
    seen: Seen


async def create(tx: Transaction, command: RoleSaid) -> Role:
    """Make a role. Where nothing is said of all customers and the default, the partner's choice decides, else the policy (CUS-88, C-12).

    Raises:
        Refusal: with everything that is wrong at once (CUS-80, CUS-87, CUS-89, CUS-90).
        RoleNameTaken: there is one of this name.
        TooManyPlaced: it names too many customers.
    """
    default = await starting_level(tx)
    if isinstance(command.all_customers, Unsaid) and isinstance(command.default_level, Unsaid):
        command = replace(command, all_customers=default)
    elif isinstance(command.all_customers, Unsaid):
        command = replace(command, all_customers=None)
    role = Role(partner_id=tx.partner_id, id=tx.new_id(), predefined=False)
    role.permissions, role.all_customers, role.default_level, role.customers, role.tags = [], None, default, {}, {}
    await _say(tx, role, command)
    tx.session.add(role)
    await _settle(tx)
    fact = RoleCreated.model_validate(role)
    tell_role(tx, role, fact)
    return role


async def edit(tx: Transaction, command: EditRole) -> Role:
    """Change what is said of a role. What it is already is told to nobody.

    Raises:
        NoSuchRole, PredefinedRole, OwnRole, Stale: it is not to be changed so.
        Refusal: as ``create``.
    """
    role = await roles.hold(tx, command.role_id, command.seen)
    changed = await _say(tx, role, command.role)
    if changed:
        await _settle(tx)
        tell_role(tx, role, roles.updated(role, changed))
    return role


async def delete(tx: Transaction, command: DeleteRole) -> None:
    """Delete a role that nobody has.

    Raises:
        NoSuchRole, PredefinedRole, OwnRole, Stale: it is not to be deleted so.
        RoleInUse: somebody has it.
    """
    role = await roles.hold(tx, command.role_id, command.seen)
    count = await users_of(tx, role.id)
    if count:
        having = select(User.id).where(User.partner_id == tx.partner_id, User.role_ids.any_() == role.id)
        some = await tx.session.scalars(having.order_by(User.id).limit(_MOST_NAMED))
        raise RoleInUse(f"{count} users have this role.", users=count, user_ids=[str(one) for one in some])
    await tx.session.delete(role)
    await tx.session.flush()
    tell_role_ending(tx, role)


async def users_of(tx: Transaction, role_id: UUID) -> int:
    """How many users have a role."""
    having = select(func.count()).where(User.partner_id == tx.partner_id, User.role_ids.any_() == role_id)
    return int((await tx.session.execute(having)).scalar_one())


async def _say(tx: Transaction, role: Role, command: RoleSaid) -> list[str]:
    """Put what is said into the role, if nothing is wrong with it; answers the fields that this changes."""
    said = command.said()
    all_customers = said.get("all_customers", role.all_customers)
    objections = Objections()
    roles.check_permissions(said.get("permissions", role.permissions), all_customers, objections, said="permissions" in said)
    roles.check_default(all_customers, said.get("default_level"), objections)
    await roles.check_placed(tx, said.get("customers", {}), objections, before=role.customers)
    objections.refuse()
    return [name for name, value in _columns(said).items() if _put(role, name, value)]


def _columns(said: dict[str, Any]) -> dict[str, Any]:
    """As a row has them. While *All customers* is placed, the default follows it."""
    made: dict[str, Any] = dict(said)
    if "permissions" in said:
        made["permissions"] = sorted(set(said["permissions"]))
    if "customers" in said:
        made["customers"] = {str(one): level for one, level in said["customers"].items()}
    if said.get("all_customers") is not None:
        made["default_level"] = said["all_customers"]
    return made


def _put(role: Role, name: str, value: Any) -> bool:
    if getattr(role, name) == value:
        return False
    setattr(role, name, value)
    return True


async def _settle(tx: Transaction) -> None:
    try:
        await tx.session.flush()
    except IntegrityError as refused:
        if broken(refused) == "roles_one_per_name":
            raise RoleNameTaken(errors=[RoleNameTaken.at("/name")]) from refused
        raise
