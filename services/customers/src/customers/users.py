"""Users of a partner: listing and adding them (CUS-76, CUS-79, CUS-80)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import FromClause, Select, bindparam, or_, select

from chassis.database import Read, Reading, Transaction
from chassis.http.etags import Seen
from chassis.http.lists import Listing, Paged, Sorts, Wanted
from chassis.http.views import Stored, View
from contracts.customers.users import UserContact
from contracts.root import ROOT_PARTNER_ID
from customers.errors import UserNotFound
from customers.errors.identity import NotOneself
from customers.rules import roles
from customers.rules.administrators import PEOPLE
from customers.rules.admission import Admission, admit
from customers.rules.holding import hold_user
from customers.tables.partners import Partner
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
    await roles.lock_named(tx, command.role_ids)
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


async def held(tx: Transaction, user_id: UUID, seen: Seen | None = None) -> User:
    """A user of the partner itself, for a change by who manages users; those of its customers are not managed with them.

    Raises:
        UserNotFound: there is none.
        Stale: it was changed since the caller saw it.
    """
    user = await hold_user(tx, user_id, seen)
    if user.kind not in PEOPLE:
        raise UserNotFound
    return user


async def held_other(tx: Transaction, user_id: UUID, seen: Seen) -> User:
    """Another user of the partner itself, for what nobody does to oneself.

    Raises:
        NotOneself: it is the caller.
        UserNotFound: there is none.
        Stale: it was changed since the caller saw it.
    """
    if tx.principal is not None and tx.principal.user_id == user_id:
        raise NotOneself
    return await held(tx, user_id, seen)


async def _own_language(tx: Transaction) -> str:
    own = select(Partner.language).where(Partner.partner_id == tx.partner_id, Partner.id == tx.partner_id)
    return (await tx.session.scalars(own)).one()


class UserView(View, frozen=True, kw_only=True):
    """A user of a partner, or a customer's."""

    id: UUID
    version: int
    kind: str
    status: str
    name: str
    email: str | None
    language: str
    customer_id: UUID | None
    role_ids: list[UUID]
    contacts: Stored[list[UserContact]]
    second_factor: bool
    created_at: datetime


def _own(relation: FromClause) -> Select[Any]:
    return select(*UserView.columns(relation)).where(or_(*(relation.c.kind == kind for kind in PEOPLE)))


_SORTS: Final = Sorts({"created_at": ("created_at", datetime), "name": ("name", str)}, default="created_at", last=("id", UUID))
_ONE: Final = Reading(User, lambda r, _shape: _own(r).where(r.c.id == bindparam("id")))
_USERS: Final = Paged(User, UserView, _SORTS, build=lambda r, _given: _own(r).where(r.c.partner_id == bindparam("of")))


async def page(read: Read, wanted: Wanted) -> Listing[UserView]:
    """The users of the partner itself; those of its customers are listed with them."""
    return await _USERS.page(read, wanted, of=read.partner_id)


async def one(read: Read, user_id: UUID) -> UserView:
    """One user of the partner itself.

    Raises:
        UserNotFound: there is none that the reader sees.
    """
    row = await read.row(_ONE, id=user_id)
    if row is None:
        raise UserNotFound
    return UserView.of(row)
