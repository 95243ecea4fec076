"""Assigning: who has which roles (CUS-80 to CUS-83).

Only who manages roles gives them, nobody to oneself, and there is always an active Partner Administrator left.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from chassis.database import Transaction
from chassis.http.etags import Seen
from chassis.http.views import View
from contracts.customers.users import UserUpdated
from customers.errors import UserNotFound
from customers.errors.roles import OwnRole
from customers.rules import administrators, roles
from customers.rules.administrators import WarningView
from customers.rules.telling import tell_user
from customers.tables.users import User


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignRoles:
    """``role_ids`` are all that the user is to have; ``seen`` is its version that the caller has seen."""

    user_id: UUID
    seen: Seen
    role_ids: tuple[UUID, ...]


class AssignedView(View, frozen=True, kw_only=True):
    """The roles that a user has from now on."""

    id: UUID
    version: int
    role_ids: list[UUID]
    warnings: list[WarningView]


async def assign(tx: Transaction, command: AssignRoles) -> User:
    """Give a user its roles. Those it has already are told to nobody.

    Raises:
        UserNotFound: there is none, or it is a customer's.
        OwnRole: it is whoever asks.
        RoleNotFound: a role is not one of the partner's.
        LastAdministrator: it is the only active Partner Administrator, and would be none.
    """
    user = await _hold(tx, command)
    wanted = list(dict.fromkeys(command.role_ids))
    await roles.lock_named(tx, wanted)
    if user.role_ids == wanted:
        return user
    if await administrators.role_id(tx) not in wanted:
        await administrators.keep_another(tx, user)
    user.role_ids = wanted
    user.updated_at = tx.now
    await tx.session.flush()
    tell_user(tx, user, UserUpdated(fields=["role_ids"]))
    return user


async def shown(tx: Transaction, user: User) -> AssignedView:
    """What was just assigned, and what is to be said of it."""
    return AssignedView.of_entity(user, warnings=administrators.warnings(await administrators.active(tx)))


async def _hold(tx: Transaction, command: AssignRoles) -> User:
    mine = select(User).where(User.partner_id == tx.partner_id, User.id == command.user_id, User.kind.in_(administrators.PEOPLE))
    user = (await tx.session.scalars(mine.with_for_update())).one_or_none()
    if user is None:
        raise UserNotFound
    if tx.principal is not None and tx.principal.user_id == user.id:
        raise OwnRole
    command.seen.admit(user.version)
    return user
