"""Roles as they are listed and shown: with what is disabled in them, by which rule, and how many users have them (CUS-79 to CUS-91)."""

from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import FromClause, Select, bindparam, func, literal_column, or_, select

from chassis.access.permissions import Permission
from chassis.database import Read, Reading
from chassis.errors import Refusal
from chassis.http.lists import Listing
from chassis.http.views import Keyed, Stored, View
from contracts.customers.roles import Level
from customers.errors.roles import AdministratorsOnly, DefaultLevelLocked, NoSuchRole, PredefinedRole
from customers.rules import administrators, roles
from customers.rules.administrators import WarningView
from customers.rules.predefined import PARTNER_ADMINISTRATOR
from customers.tables.roles import Role
from customers.tables.users import User

type Levels = dict[UUID, Level]
type TagLevels = dict[str, Level]


class LockedView(View, frozen=True, kw_only=True):
    """A setting that cannot be changed now, or a permission that cannot be given: `setting` names it, `rule` says why."""

    setting: str
    code: str
    rule: str | None
    reason: str


class RoleView(View, frozen=True, kw_only=True):
    """A role: what its users may do, and with which customers.

    A customer that is placed by itself, or by a tag, has that level; else `all_customers` decides, and where that is null `default_level`.
    `users` counts who has the role. `locked` says what cannot be changed as it stands.
    """

    id: UUID
    version: int
    name: str
    predefined: bool
    permissions: list[str]
    all_customers: str | None
    default_level: str
    users: int
    locked: list[LockedView]
    warnings: list[WarningView]


class RoleWholeView(RoleView, frozen=True, kw_only=True):
    """One role, with the customers and tags that it places."""

    customers: Stored[Levels]
    tags: Stored[TagLevels]


def _having(relation: FromClause, _shape: object) -> Select[Any]:
    """Who has which role, by how many; a disabled user has it no less."""
    each = func.unnest(relation.c.role_ids).label("role_id")
    active = func.count().filter(relation.c.status == "active", or_(*(relation.c.kind == one for one in administrators.PEOPLE)))
    mine = relation.c.partner_id == bindparam("of")
    return select(each, func.count().label("users"), active.label("active")).where(mine).group_by(literal_column("role_id"))


def _of(relation: FromClause) -> Select[Any]:
    return select(*RoleWholeView.columns(relation)).where(relation.c.partner_id == bindparam("of"))


_HAVING: Final = Reading(User, _having)
_ALL: Final = Reading(Role, lambda r, _shape: _of(r).order_by(r.c.name).limit(1000))
_ONE: Final = Reading(Role, lambda r, _shape: _of(r).where(r.c.id == bindparam("id")))


async def every(read: Read) -> Listing[RoleView]:
    """The partner's roles, by name; whom they place is shown with each."""
    counts = await _counts(read)
    rows = await read.rows(_ALL, of=read.partner_id)
    return Listing.whole([RoleView.of(row, **_made(row, counts.get(row["id"], _NOBODY))) for row in rows], as_of=read.real_now)


async def one(read: Read, role_id: UUID) -> RoleWholeView:
    """One role, whole.

    Raises:
        NoSuchRole: there is none.
    """
    row = await read.row(_ONE, of=read.partner_id, id=role_id)
    if row is None:
        raise NoSuchRole
    counts = await _counts(read)
    return RoleWholeView.of(row, **_made(row, counts.get(role_id, _NOBODY)))


def shown(role: Role, users: int) -> RoleWholeView:
    """A custom role that was just changed, as ``one`` answers it."""
    row = {"name": role.name, "predefined": role.predefined, "all_customers": role.all_customers}
    return RoleWholeView.of_entity(role, **_made(row, _Users(users, users)))


class _Users(NamedTuple):
    """How many have a role, and how many of them are active."""

    all: int
    active: int


_NOBODY: Final = _Users(0, 0)


async def _counts(read: Read) -> dict[UUID, _Users]:
    return {row["role_id"]: _Users(row["users"], row["active"]) for row in await read.rows(_HAVING, of=read.partner_id)}


def _made(row: Keyed, users: _Users) -> dict[str, Any]:
    leading = row["predefined"] and row["name"] == PARTNER_ADMINISTRATOR
    return {
        "users": users.all,
        "locked": [_locked("role", PredefinedRole)] if row["predefined"] else _disabled(row["all_customers"]),
        "warnings": administrators.warnings(users.active) if leading else [],
    }


def _disabled(all_customers: Level | None) -> list[LockedView]:
    """What a custom role cannot have (GW-10)."""
    default = [_locked("default_level", DefaultLevelLocked)] if all_customers is not None else []
    refused = [_locked(str(permission), refusal) for permission, refusal in roles.disabled(all_customers).items()]
    return [*default, _locked(str(Permission.ROLES_MANAGE), AdministratorsOnly), *refused]


def _locked(setting: str, refusal: type[Refusal]) -> LockedView:
    return LockedView(setting=setting, code=refusal.code, rule=refusal.rule, reason=refusal().title)
