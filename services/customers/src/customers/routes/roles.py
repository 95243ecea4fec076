"""Roles over HTTP, who has them, and what that comes to for a customer."""

from typing import Annotated, Any, Final, cast
from uuid import UUID

from annotated_types import Len
from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from chassis.access.permissions import Permission
from chassis.access.rights import Rights
from chassis.http.bodies import Body
from chassis.http.calls import Call, allow
from chassis.http.lists import Asked, Listing
from chassis.http.moments import AsOfQuery
from chassis.http.text import Text
from chassis.principal import Principal
from contracts.customers.roles import Level
from customers import access, assigning, role_defaults, role_list, roles
from customers.access import AccessView
from customers.assigning import AssignedView, AssignRoles
from customers.role_defaults import ChooseDefault, RoleDefaultView
from customers.role_list import RoleView, RoleWholeView
from customers.roles import DeleteRole, EditRole, RoleSaid
from customers.rules.new_roles import StartingLevel

router: Final = APIRouter(prefix="/v1", tags=["roles"])

STAFF: Final = frozenset({"operator", "partner"})
MANAGERS: Final = allow(Permission.ROLES_MANAGE, kinds=STAFF)

type RoleName = Annotated[str, Text(100)]
type Permissions = Annotated[list[Permission], Len(max_length=20)]
type Placed = dict[UUID, Level]
type PlacedTags = Annotated[dict[Annotated[str, Text(50)], Level], Len(max_length=500)]


class RoleEdit(Body):
    """All that is left out stays as it is. `customers` and `tags` say which level each has; they are sent whole.

    `all_customers` gives every other customer its level, existing and new; null leaves them to `default_level`.
    """

    name: RoleName = Field(default_factory=str)
    permissions: Permissions = Field(default_factory=list)
    all_customers: Level | None = None
    default_level: Level = Field(default_factory=lambda: "none")
    customers: Placed = Field(default_factory=dict)
    tags: PlacedTags = Field(default_factory=dict)

    def command(self) -> RoleSaid:
        said: dict[str, Any] = {name: getattr(self, name) for name in self.model_fields_set}
        if "permissions" in said:
            said["permissions"] = tuple(map(str, said["permissions"]))
        return RoleSaid(**said)


class NewRole(RoleEdit):
    """Where nothing is said of `all_customers` and `default_level`, all customers get the level that `GET /v1/role-default` says."""

    name: RoleName


class NewRoles(Body):
    role_ids: Annotated[list[UUID], Len(1, 20)]


class NewDefault(Body):
    role_default_access: StartingLevel | None


@router.get("/roles", response_model=Listing[RoleView])
async def list_roles(_: Annotated[Asked, Query()], call: Annotated[Call, allow(kinds=STAFF)]) -> Response:
    async with call.read() as read:
        return call.answer(await role_list.every(read))


@router.post("/roles", status_code=201, response_model=RoleWholeView)
async def create(body: NewRole, call: Annotated[Call, MANAGERS]) -> Response:
    """Make a custom role (CUS-80, CUS-86)."""
    async with call.change(tenant=_tenant(call.principal)) as tx:
        role = await roles.create(tx, body.command())
        return call.created(role_list.shown(role, users=0), location=f"/v1/roles/{role.id}", version=role.version)


@router.get("/role-default", response_model=RoleDefaultView)
async def get_default(call: Annotated[Call, allow(kinds=STAFF)]) -> Response:
    """What a new role gives where its maker does not say."""
    async with call.read() as read:
        view = await role_defaults.chosen(read)
        return call.answer(view, version=view.version)


@router.put("/role-default", response_model=RoleDefaultView)
async def choose_default(body: NewDefault, call: Annotated[Call, MANAGERS]) -> Response:
    """Choose what new roles give: Read/Write on all customers, or nothing; null leaves it to the operator's policy (C-12)."""
    async with call.change(tenant=_tenant(call.principal)) as tx:
        view = await role_defaults.choose(tx, ChooseDefault(seen=call.seen, access=body.role_default_access))
        return call.answer(view, version=view.version)


@router.get("/roles/{role_id}", response_model=RoleWholeView)
async def get(role_id: UUID, call: Annotated[Call, MANAGERS]) -> Response:
    """One role, with the customers and tags that it places."""
    async with call.read() as read:
        role = await role_list.one(read, role_id)
        return call.answer(role, version=role.version)


@router.patch("/roles/{role_id}", response_model=RoleWholeView)
async def edit(role_id: UUID, body: RoleEdit, call: Annotated[Call, MANAGERS]) -> Response:
    """Change a custom role; it takes effect everywhere within five seconds. Nobody changes a role of one's own (CUS-82)."""
    async with call.change(tenant=_tenant(call.principal)) as tx:
        role = await roles.edit(tx, EditRole(role_id=role_id, seen=call.seen, role=body.command()))
        return call.answer(role_list.shown(role, users=await roles.users_of(tx, role.id)), version=role.version)


@router.delete("/roles/{role_id}", status_code=204)
async def delete(role_id: UUID, call: Annotated[Call, MANAGERS]) -> Response:
    """Delete a custom role that nobody has."""
    async with call.change(tenant=_tenant(call.principal)) as tx:
        await roles.delete(tx, DeleteRole(role_id=role_id, seen=call.seen))
        return call.answer(b"", status=204)


@router.put("/users/{user_id}/roles", response_model=AssignedView)
async def assign(user_id: UUID, body: NewRoles, call: Annotated[Call, MANAGERS]) -> Response:
    """Give a user these roles and no others; nobody to oneself (CUS-82). One active Partner Administrator is always left (CUS-83)."""
    async with call.change(tenant=_tenant(call.principal)) as tx:
        user = await assigning.assign(tx, AssignRoles(user_id=user_id, seen=call.seen, role_ids=tuple(body.role_ids)))
        return call.answer(await assigning.shown(tx, user), version=user.version)


@router.get("/users/{user_id}/access/{customer_id}", response_model=AccessView)
async def explain(
    user_id: UUID, customer_id: UUID, query: Annotated[AsOfQuery, Query()], call: Annotated[Call, allow(kinds=STAFF)]
) -> Response:
    """What a user may do with a customer, and by which line of which role: now, or as it was recorded (BEY-12).

    Of others it is told to whoever manages roles, and only of customers that the caller sees.
    """
    async with call.read(customer=customer_id) as read:
        if user_id != call.principal.user_id:
            cast("Rights", read.rights).require(Permission.ROLES_MANAGE)
        return call.answer(await access.explain(read, user_id, customer_id, query.as_of))


@router.get("/me/access/{customer_id}", response_model=AccessView)
async def explain_mine(customer_id: UUID, query: Annotated[AsOfQuery, Query()], call: Annotated[Call, allow(kinds=STAFF)]) -> Response:
    """What the caller may do with a customer, and why."""
    async with call.read(customer=customer_id) as read:
        return call.answer(await access.explain(read, call.principal.user_id, customer_id, query.as_of))


def _tenant(principal: Principal) -> UUID | None:
    """Operators change rows as the partner concerned."""
    return principal.tenant if principal.kind == "operator" else None
