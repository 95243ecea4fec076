"""Users of a partner over HTTP."""

from typing import Annotated, cast
from uuid import UUID

from annotated_types import Len
from fastapi import APIRouter, Query
from starlette.responses import Response

from chassis.access.permissions import Permission
from chassis.access.rights import Rights
from chassis.http.bodies import Body
from chassis.http.calls import Call, allow
from chassis.http.lists import Listing, ListQuery
from chassis.http.text import EmailAddress, LanguageTag, Name
from customers import links, users
from customers.links import LinkView, RequestLink
from customers.users import AddUser, UserView

router = APIRouter(prefix="/v1", tags=["users"])

STAFF = frozenset({"operator", "partner"})


class NewUser(Body):
    name: Name
    email: EmailAddress
    role_ids: Annotated[list[UUID], Len(1, 20)]
    language: LanguageTag | None = None


@router.post("/users", status_code=201, response_model=UserView)
async def add(body: NewUser, call: Annotated[Call, allow(Permission.ROLES_MANAGE, kinds=STAFF)]) -> Response:
    """Add a user with its roles, which only who manages roles gives (CUS-76, CUS-80)."""
    command = AddUser(name=body.name, email=body.email, role_ids=tuple(body.role_ids), language=body.language)
    async with call.change(tenant=call.principal.tenant if call.principal.kind == "operator" else None) as tx:
        user = await users.add(tx, command)
        return call.created(UserView.of_entity(user), location=f"/v1/users/{user.id}", version=user.version)


@router.post("/users/{user_id}/link", status_code=202, response_model=LinkView)
async def request_link(user_id: UUID, call: Annotated[Call, allow(kinds=STAFF)]) -> Response:
    """Mail a new link to set a password; earlier ones stop working.

    For a user of the partner itself it asks for the permission to manage users, for a customer's
    first admin for the one to add customers and Read/Write on that customer.
    """
    async with call.read() as read:
        whose = await links.whose(read, user_id)
        permission = Permission.CUSTOMERS_ADD if whose.customer_id else Permission.USERS_MANAGE
        cast("Rights", read.rights).require(permission)
    tenant = whose.partner_id if call.principal.kind == "operator" else None
    async with call.change(customer=whose.customer_id, tenant=tenant) as tx:
        return call.answer(await links.request(tx, RequestLink(user_id=user_id, customer_id=whose.customer_id)), status=202)


@router.get("/users", response_model=Listing[UserView])
async def list_users(query: Annotated[ListQuery, Query()], call: Annotated[Call, allow(kinds=STAFF)]) -> Response:
    async with call.read() as read:
        return call.answer(await users.page(read, query.wanted))


@router.get("/users/{user_id}", response_model=UserView)
async def get(user_id: UUID, call: Annotated[Call, allow(kinds=STAFF)]) -> Response:
    async with call.read() as read:
        user = await users.one(read, user_id)
        return call.answer(user, version=user.version)
