"""Who may do what with a customer, and why: now, or as it was recorded for a moment in the past (BEY-12, CUS-85 to CUS-91)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import ARRAY, FromClause, Select, Uuid, any_, bindparam, select
from sqlalchemy.dialects.postgresql import distinct_on

from chassis.access.rights import RANK, Line, RoleGrant
from chassis.database import Read, Reading
from chassis.http import moments
from chassis.http.views import Keyed, View
from contracts.customers.roles import Level
from customers.errors import UserNotFound
from customers.tables.customers import Customer
from customers.tables.rights_history import RightsMoment
from customers.tables.roles import Role
from customers.tables.users import User


class RoleSaysView(View, frozen=True, kw_only=True):
    """What one role says of the customer; `line` is what in it decides, and `tag` which one, where it is a tag."""

    role_id: UUID
    name: str
    level: Level
    line: Line
    tag: str | None


class PermissionView(View, frozen=True, kw_only=True):
    """A permission, and the roles that give it."""

    permission: str
    role_ids: list[UUID]


class AccessView(View, frozen=True, kw_only=True):
    """What a user may do with a customer at a moment: the highest level that one of its roles gives, and all of their permissions.

    `decided_by` is the role whose line gave the level. It is null where no role did: an operator has every level by its kind, and whoever
    has no role has none. `active` says whether the user could sign in.
    """

    user_id: UUID
    customer_id: UUID
    as_of: datetime
    active: bool
    level: Level
    decided_by: RoleSaysView | None
    roles: list[RoleSaysView]
    permissions: list[PermissionView]


@dataclass(frozen=True, slots=True)
class _NamedGrant:
    id: UUID
    name: str
    grant: RoleGrant


@dataclass(frozen=True, slots=True)
class _Standing:
    """What there is to judge by; no ``tags`` where the customer was not the partner's."""

    kind: str
    status: str
    grants: Sequence[_NamedGrant]
    tags: Sequence[str] | None


async def explain(read: Read, user_id: UUID, customer_id: UUID, as_of: datetime | None) -> AccessView:
    """What one of the partner's users may do, or might at that moment.

    Raises:
        UserNotFound: there is no such user, or it is a customer's.
        NotYet: the moment is still to come.
    """
    moments.admit(as_of, read.now)
    standing = await (_recorded(read, user_id, customer_id, as_of) if as_of else _now(read, user_id, customer_id))
    says = [_says(one, customer_id, standing.tags) for one in standing.grants] if standing.tags is not None else []
    decisive = max(says, key=lambda one: RANK[one.level], default=None) if standing.kind != "operator" else None
    permissions = {one for grant in standing.grants for one in grant.grant.permissions}
    return AccessView(
        user_id=user_id,
        customer_id=customer_id,
        as_of=as_of or read.now,
        active=standing.status == "active",
        level=_level(standing, decisive),
        decided_by=decisive,
        roles=says,
        permissions=[_permission(one, standing.grants) for one in sorted(permissions)],
    )


def _level(standing: _Standing, decisive: RoleSaysView | None) -> Level:
    if standing.kind == "operator" and standing.tags is not None:
        return "read_write"
    return decisive.level if decisive else "none"


def _says(one: _NamedGrant, customer_id: UUID, tags: Sequence[str]) -> RoleSaysView:
    decided = one.grant.decided(customer_id, tags)
    return RoleSaysView(role_id=one.id, name=one.name, level=decided.level, line=decided.line, tag=decided.tag)


def _permission(permission: str, grants: Sequence[_NamedGrant]) -> PermissionView:
    return PermissionView(permission=permission, role_ids=[one.id for one in grants if permission in one.grant.permissions])


_GRANT: Final = tuple(RoleGrant.__struct_fields__)


def _roles(relation: FromClause, _shape: object) -> Select[Any]:
    columns = (relation.c.id, relation.c.name, *(relation.c[name] for name in _GRANT))
    return select(*columns).where(relation.c.id == any_(bindparam("ids", type_=ARRAY(Uuid)))).order_by(relation.c.id)


def _user(relation: FromClause, _shape: object) -> Select[Any]:
    columns = (relation.c.kind, relation.c.status, relation.c.role_ids)
    return select(*columns).where(relation.c.id == bindparam("id"), relation.c.kind != "customer")


def _moments(relation: FromClause, _shape: object) -> Select[Any]:
    """How each of some entities stood then."""
    wanted = relation.c.subject == any_(bindparam("ids", type_=ARRAY(Uuid)))
    newest = select(relation.c.subject, relation.c.kind, relation.c.state).ext(distinct_on(relation.c.subject))
    return newest.where(wanted, relation.c.at <= bindparam("as_of")).order_by(relation.c.subject, relation.c.version.desc())


_USER: Final = Reading(User, _user)
_ROLES: Final = Reading(Role, _roles)
_TAGS: Final = Reading(Customer, lambda r, _shape: select(r.c.tags).where(r.c.id == bindparam("id")))
_MOMENTS: Final = Reading(RightsMoment, _moments)


async def _now(read: Read, user_id: UUID, customer_id: UUID) -> _Standing:
    user = await read.row(_USER, id=user_id)
    if user is None:
        raise UserNotFound
    rows = await read.rows(_ROLES, ids=user["role_ids"])
    customer = await read.row(_TAGS, id=customer_id)
    return _Standing(user["kind"], user["status"], [_named(row["id"], row) for row in rows], customer["tags"] if customer else None)


async def _recorded(read: Read, user_id: UUID, customer_id: UUID, as_of: datetime) -> _Standing:
    """Whoever was not there yet could not do anything."""
    if await read.row(_USER, id=user_id) is None:
        raise UserNotFound
    first = await _stood(read, [user_id, customer_id], as_of)
    user, customer = first.get(user_id), first.get(customer_id)
    if user is None:
        return _Standing("partner", "invited", [], customer["tags"] if customer else None)
    ids = sorted(UUID(one) for one in user["role_ids"])
    stood = await _stood(read, ids, as_of)
    grants = [_named(one, stood[one]) for one in ids if one in stood]
    return _Standing(user["kind"], user["status"], grants, customer["tags"] if customer else None)


async def _stood(read: Read, ids: Sequence[UUID], as_of: datetime) -> dict[UUID, dict[str, Any]]:
    rows = await read.rows(_MOMENTS, ids=ids, as_of=as_of)
    return {row["subject"]: msgspec.json.decode(row["state"]) for row in rows if row["state"] is not None}


def _named(role_id: UUID, row: Keyed) -> _NamedGrant:
    said = {name: msgspec.json.decode(value) if isinstance(value := row[name], str) and name in _LEVELS else value for name in _GRANT}
    return _NamedGrant(role_id, row["name"], msgspec.convert(said, RoleGrant))


_LEVELS: Final = frozenset({"customers", "tags"})
"""Kept as JSON, which comes as its text."""
