"""Who is signed in: the user, its partner, its roles and what they permit together."""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import FromClause, Select, any_, bindparam, select

from chassis.database import Read, Reading
from chassis.http.views import Stored, View
from contracts.customers.partners import SupportInfo
from contracts.customers.users import UserContact
from customers.errors import UserNotFound
from customers.tables.partners import Partner
from customers.tables.roles import Role
from customers.tables.users import User


class MyPartnerView(View, frozen=True, kw_only=True):
    """The user's own partner; ``support`` is where its customers find help (CUS-74)."""

    id: UUID
    name: str
    language: str
    time_zone: str
    support: Stored[SupportInfo]


class MyRoleView(View, frozen=True, kw_only=True):
    id: UUID
    name: str


class MyUserView(View, frozen=True, kw_only=True):
    id: UUID
    kind: str
    name: str
    email: str | None
    language: str
    customer_id: UUID | None
    contacts: Stored[list[UserContact]]
    second_factor: bool


class MeView(View, frozen=True, kw_only=True):
    user: MyUserView
    partner: MyPartnerView
    roles: list[MyRoleView]
    permissions: list[str]


def _user(relation: FromClause, _shape: object) -> Select[Any]:
    return select(*MyUserView.columns(relation), relation.c.role_ids, relation.c.partner_id, relation.c.version).where(
        relation.c.id == bindparam("id")
    )


_USER: Final = Reading(User, _user)
_PARTNER: Final = Reading(Partner, lambda r, _shape: select(*MyPartnerView.columns(r)).where(r.c.id == bindparam("id")))


def _of_ids(relation: Any, _shape: Any) -> Any:
    ids = bindparam("ids", type_=User.role_ids.type)
    return select(relation.c.id, relation.c.name, relation.c.permissions).where(relation.c.id == any_(ids)).order_by(relation.c.name)


_ROLES: Final = Reading(Role, _of_ids)


async def me(read: Read) -> tuple[MeView, int]:
    """The reader itself, in its own partner's name, and its version.

    Raises:
        UserNotFound: it acts as another partner, where it is no user.
    """
    user = await read.row(_USER, id=read.principal.user_id)
    partner = await read.row(_PARTNER, id=user["partner_id"]) if user else None
    if user is None or partner is None:
        raise UserNotFound
    roles = await read.rows(_ROLES, ids=user["role_ids"]) if user["role_ids"] else []
    view = MeView(
        user=MyUserView.of(user),
        partner=MyPartnerView.of(partner),
        roles=[MyRoleView.of(role) for role in roles],
        permissions=sorted({permission for role in roles for permission in role["permissions"]}),
    )
    return view, user["version"]
