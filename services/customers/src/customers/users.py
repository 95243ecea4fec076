"""Users of a partner: listing and adding them (CUS-76, CUS-79, CUS-80), and the roles that they may have."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import bindparam, select

from chassis.database import Read, Reading, Transaction
from chassis.http.lists import Page, Sort, Sorts
from contracts.root import ROOT_PARTNER_ID
from customers.errors import RoleNotFound, UserNotFound
from customers.rules.admission import Admission, admit
from customers.tables.partners import Partner
from customers.tables.roles import Role
from customers.tables.users import User


@dataclass(frozen=True, slots=True, kw_only=True)
class AddUser:
    """``language`` None means the partner's."""

    name: str
    email: str
    role_ids: tuple[UUID, ...]
    language: str | None = None


async def add(tx: Transaction, command: AddUser) -> User:
    """Add a user and mail it a link to set its password; users of the root party are operators.

    Raises:
        EmailTaken: the address exists in the system already (CUS-76).
        RoleNotFound: a role is not one of the partner's.
    """
    await _lock_roles(tx, command.role_ids)
    admission = Admission(
        kind="operator" if tx.partner_id == ROOT_PARTNER_ID else "partner",
        name=command.name,
        email=command.email,
        language=command.language or await _own_language(tx),
        user_id=tx.new_id(),
        role_ids=tuple(dict.fromkeys(command.role_ids)),
        link_id=tx.new_id(),
    )
    return await admit(tx, admission)


async def _own_language(tx: Transaction) -> str:
    own = select(Partner.language).where(Partner.partner_id == tx.partner_id, Partner.id == tx.partner_id)
    return (await tx.session.scalars(own)).one()


async def _lock_roles(tx: Transaction, role_ids: tuple[UUID, ...]) -> None:
    """Roles that a user names cannot be deleted in the same moment."""
    named = select(Role.id).where(Role.partner_id == tx.partner_id, Role.id.in_(role_ids)).order_by(Role.id)
    known = set(await tx.session.scalars(named.with_for_update(key_share=True, read=True)))
    errors = [
        RoleNotFound.at(f"/role_ids/{number}", "There is no such role.") for number, role_id in enumerate(role_ids) if role_id not in known
    ]
    if errors:
        raise RoleNotFound(errors=errors)


class UserLine(msgspec.Struct):
    """A user as it is answered."""

    id: UUID
    version: int
    kind: str
    status: str
    name: str
    email: str | None
    language: str
    customer_id: UUID | None
    role_ids: list[UUID]
    created_at: datetime


class RoleLine(msgspec.Struct):
    """A role as it is answered."""

    id: UUID
    version: int
    name: str
    predefined: bool
    permissions: list[str]
    all_customers: str | None
    default_level: str


_SORTS: Final = Sorts({"created_at": ("created_at", datetime), "name": ("name", str)}, default="created_at", last=("id", UUID))
_ONE: Final = Reading(User, lambda r, _shape: select(*_columns(r, UserLine)).where(r.c.id == bindparam("id"), r.c.kind != "customer"))
_ROLES: Final = Reading(
    Role, lambda r, _shape: select(*_columns(r, RoleLine)).where(r.c.partner_id == bindparam("of")).order_by(r.c.name).limit(1000)
)


def _columns(relation: Any, line: type[msgspec.Struct]) -> list[Any]:
    return [relation.c[name] for name in line.__struct_fields__]


def _page(relation: Any, shape: tuple[Sort, bool]) -> Any:
    sort, further = shape
    statement = select(*_columns(relation, UserLine)).where(relation.c.partner_id == bindparam("of"), relation.c.kind != "customer")
    statement = statement.order_by(*sort.order(relation)).limit(bindparam("limit"))
    return statement.where(sort.after(relation)) if further else statement


_PAGE: Final = Reading(User, _page)


async def page(read: Read, *, sort: str | None, cursor: str | None, limit: int) -> Page[UserLine]:
    """The users of the partner itself; those of its customers are listed with them."""
    order = _SORTS.read(sort)
    after = order.read(cursor)
    rows = await read.rows(_PAGE, (order, bool(after)), of=read.partner_id, limit=limit + 1, **after)
    return Page.cut(rows, _user, sort=order, limit=limit, as_of=read.now)


async def one(read: Read, user_id: UUID) -> UserLine:
    """One user of the partner itself.

    Raises:
        UserNotFound: there is none that the reader sees.
    """
    row = await read.row(_ONE, id=user_id)
    if row is None:
        raise UserNotFound
    return _user(row)


async def roles(read: Read) -> list[RoleLine]:
    """The partner's roles, by name."""
    return [RoleLine(**row) for row in await read.rows(_ROLES, of=read.partner_id)]


def _user(row: Any) -> UserLine:
    return UserLine(**row)


def line(user: User) -> UserLine:
    """A user that was just added, as ``one`` answers it."""
    return UserLine(**{name: getattr(user, name) for name in UserLine.__struct_fields__})
