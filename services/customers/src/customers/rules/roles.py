"""Roles: how one must be made, found for a change, and rid of a customer that is gone (CUS-79 to CUS-91).

*All customers*, once placed, decides for every customer that is not placed by itself or by a tag, so the
default level has no say then, and a level that is too low takes permissions with it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import select, text

from chassis.access.permissions import Permission
from chassis.database import Transaction
from chassis.http.etags import Seen
from contracts.customers.roles import Level, RoleUpdated
from customers.errors import RoleNotFound
from customers.errors.roles import (
    AdministratorsOnly,
    CustomersUnknown,
    DefaultLevelLocked,
    NoSuchRole,
    OwnRole,
    PermissionDisabled,
    PredefinedRole,
    RemovingDisabled,
    TooManyPlaced,
)
from customers.rules.objections import Objections
from customers.rules.telling import tell_role
from customers.tables.customers import LIVING, Customer
from customers.tables.roles import Role
from customers.tables.users import User

MOST_PLACED: Final = 5_000
"""Customers that a role names one by one: it is told whole, and no broker takes a record of any size."""

_CUSTOMERS: Final = frozenset({Permission.CUSTOMERS_ADD, Permission.CUSTOMERS_IMPORT, Permission.CUSTOMERS_REMOVE})


def disabled(all_customers: Level | None) -> Mapping[Permission, type[RemovingDisabled | PermissionDisabled]]:
    """Permissions that a role cannot have while *All customers* is placed so (CUS-89, CUS-90)."""
    if all_customers == "none":
        return dict.fromkeys(sorted(_CUSTOMERS), PermissionDisabled)
    return {Permission.CUSTOMERS_REMOVE: RemovingDisabled} if all_customers == "read" else {}


def check_permissions(permissions: Sequence[str], all_customers: Level | None, objections: Objections, *, said: bool) -> None:
    """CUS-80, CUS-89, CUS-90. Where the permissions were not ``said``, the place of *All customers* is what is wrong."""
    refused = disabled(all_customers)
    for number, permission in enumerate(permissions):
        pointer = f"/permissions/{number}" if said else "/all_customers"
        if permission == Permission.ROLES_MANAGE:
            objections.against(AdministratorsOnly, pointer)
        elif permission in refused:
            detail = f"{permission} is disabled while all customers are under {all_customers}."
            objections.against(refused[Permission(permission)], pointer, detail)


def check_default(all_customers: Level | None, default_level: Level | None, objections: Objections) -> None:
    """CUS-87."""
    if all_customers is not None and default_level is not None:
        objections.against(DefaultLevelLocked, "/default_level")


async def check_placed(tx: Transaction, placed: Collection[UUID], objections: Objections, *, before: Iterable[str]) -> None:
    """The customers that a role names must be the partner's, and not too many. Those that it named ``before`` it may keep.

    Raises:
        TooManyPlaced: they are.
    """
    if len(placed) > MOST_PLACED:
        raise TooManyPlaced(f"{len(placed)} are too many: {MOST_PLACED} is the most.", most=MOST_PLACED)
    wanted = sorted(set(placed) - {UUID(one) for one in before})
    if not wanted:
        return
    mine = select(Customer.id).where(Customer.partner_id == tx.partner_id, Customer.id.in_(wanted), text(LIVING))
    known = set(await tx.session.scalars(mine))
    for one in wanted:
        if one not in known:
            objections.against(CustomersUnknown, f"/customers/{one}", "There is no such customer.")


async def hold(tx: Transaction, role_id: UUID, seen: Seen) -> Role:
    """The role, for a change by somebody whose own it is not.

    Raises:
        NoSuchRole: there is none.
        PredefinedRole: it is never changed.
        OwnRole: whoever asks has it.
        Stale: it was changed since the caller saw it.
    """
    found = select(Role).where(Role.partner_id == tx.partner_id, Role.id == role_id).with_for_update()
    role = (await tx.session.scalars(found)).one_or_none()
    if role is None:
        raise NoSuchRole
    if role.predefined:
        raise PredefinedRole
    await _not_own(tx, role_id)
    seen.admit(role.version)
    return role


async def _not_own(tx: Transaction, role_id: UUID) -> None:
    if tx.principal is None:
        return
    mine = select(User.id).where(User.partner_id == tx.partner_id, User.id == tx.principal.user_id, User.role_ids.any_() == role_id)
    if (await tx.session.scalars(mine)).one_or_none() is not None:
        raise OwnRole


async def lock_named(tx: Transaction, role_ids: Sequence[UUID]) -> None:
    """Roles that a user is given cannot be deleted in the same moment.

    Raises:
        RoleNotFound: some are none of the partner's.
    """
    named = select(Role.id).where(Role.partner_id == tx.partner_id, Role.id.in_(role_ids)).order_by(Role.id)
    known = set(await tx.session.scalars(named.with_for_update(key_share=True, read=True)))
    errors = [
        RoleNotFound.at(f"/role_ids/{number}", "There is no such role.") for number, role_id in enumerate(role_ids) if role_id not in known
    ]
    if errors:
        raise RoleNotFound(errors=errors)


async def forget_customer(tx: Transaction, customer_id: UUID) -> None:
    """Take a customer that is no longer the partner's out of the roles that name it."""
    naming = select(Role).where(Role.partner_id == tx.partner_id, Role.customers.has_key(str(customer_id)))
    for role in await tx.session.scalars(naming.order_by(Role.id).with_for_update()):
        role.customers = {one: level for one, level in role.customers.items() if one != str(customer_id)}
        await tx.session.flush()
        tell_role(tx, role, updated(role, ["customers"]))


def updated(role: Role, fields: Sequence[str]) -> RoleUpdated:
    """The fact of a change. ``tell_role`` tells the whole beside it."""
    return RoleUpdated.model_validate({**{name: getattr(role, name) for name in _TOLD}, "fields": [*fields]})


_TOLD: Final = ("name", "permissions", "all_customers", "default_level")
