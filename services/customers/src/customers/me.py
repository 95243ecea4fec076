"""Who is signed in: the user, its partner, its roles and what they permit together."""

from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import any_, bindparam, select

from chassis.database import Read, Reading
from customers.errors import UserNotFound
from customers.rules.columns import chosen, raw
from customers.tables.partners import Partner
from customers.tables.roles import Role
from customers.tables.users import User


class MyPartner(msgspec.Struct):
    """The user's own partner; ``support`` is where its customers find help (CUS-74)."""

    id: UUID
    name: str
    language: str
    time_zone: str
    support: msgspec.Raw


class MyRole(msgspec.Struct):
    id: UUID
    name: str


class MyUser(msgspec.Struct):
    id: UUID
    kind: str
    name: str
    email: str | None
    language: str
    customer_id: UUID | None


class Me(msgspec.Struct):
    user: MyUser
    partner: MyPartner
    roles: list[MyRole]
    permissions: list[str]


_USER_COLUMNS: Final = (*MyUser.__struct_fields__, "role_ids", "partner_id")
_USER: Final = Reading(User, lambda r, _shape: select(*(r.c[name] for name in _USER_COLUMNS)).where(r.c.id == bindparam("id")))
_PARTNER: Final = Reading(Partner, lambda r, _shape: select(*chosen(r, MyPartner.__struct_fields__)).where(r.c.id == bindparam("id")))


def _of_ids(relation: Any, _shape: Any) -> Any:
    ids = bindparam("ids", type_=User.role_ids.type)
    return select(relation.c.id, relation.c.name, relation.c.permissions).where(relation.c.id == any_(ids)).order_by(relation.c.name)


_ROLES: Final = Reading(Role, _of_ids)


async def me(read: Read) -> Me:
    """The reader itself, in its own partner's name.

    Raises:
        UserNotFound: it acts as another partner, where it is no user.
    """
    user = await read.row(_USER, id=read.principal.user_id)
    partner = await read.row(_PARTNER, id=user["partner_id"]) if user else None
    if user is None or partner is None:
        raise UserNotFound
    roles = await read.rows(_ROLES, ids=user["role_ids"]) if user["role_ids"] else []
    return Me(
        user=MyUser(**{name: user[name] for name in MyUser.__struct_fields__}),
        partner=MyPartner(**{**partner, "support": raw(partner["support"])}),
        roles=[MyRole(id=role["id"], name=role["name"]) for role in roles],
        permissions=sorted({permission for role in roles for permission in role["permissions"]}),
    )
