"""What users say of themselves over HTTP, and their life at a partner: edited, disabled, enabled, removed (CUS-76 to CUS-78)."""

from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from chassis.access.permissions import Permission
from chassis.database import Transaction
from chassis.http.bodies import Body
from chassis.http.calls import Call, allow
from chassis.http.text import EmailAddress, LanguageTag, Name, Text
from customers import users
from customers.identity import profiles, resting
from customers.identity.profiles import Profile, WantedContact
from customers.routes.own import ONESELF, STAFF, tenant
from customers.rules.holding import hold_user
from customers.tables.users import User
from customers.users import UserView

router: Final = APIRouter(tags=["profiles"])

MANAGERS: Final = allow(Permission.USERS_MANAGE, kinds=STAFF)


class ProfileChanges(Body):
    """What is left out stays. ``language`` null is the partner's own (CUS-92)."""

    name: Name | None = None
    language: LanguageTag | None = None

    def profile(self) -> Profile:
        resets = self.language is None and "language" in self.model_fields_set
        return Profile(name=self.name, language=self.language, partners_language=resets)


class EmailContact(Body):
    type: Literal["email"]
    value: EmailAddress
    primary: bool = False


class SmsContact(Body):
    type: Literal["sms"]
    value: Annotated[str, Text(40)]
    primary: bool = False


type ContactBody = Annotated[EmailContact | SmsContact, Field(discriminator="type")]


@router.patch("/v1/me", response_model=UserView)
async def edit_oneself(body: ProfileChanges, call: Annotated[Call, ONESELF]) -> Response:
    """Change one's own name or language (CUS-77)."""
    async with call.change(tenant=tenant(call)) as tx:
        user = await _oneself(tx, call)
        await profiles.edit(tx, user, body.profile())
        return _shown(call, user)


@router.post("/v1/me/contacts", status_code=201, response_model=UserView)
async def add_own_contact(body: ContactBody, call: Annotated[Call, ONESELF]) -> Response:
    """Add a way to be reached (CUS-78)."""
    async with call.change(tenant=tenant(call)) as tx:
        user = await hold_user(tx, call.principal.user_id)
        await profiles.add_contact(tx, user, _wanted(body))
        return _shown(call, user, status=201)


@router.put("/v1/me/contacts/{contact_id}", response_model=UserView)
async def edit_own_contact(contact_id: UUID, body: ContactBody, call: Annotated[Call, ONESELF]) -> Response:
    async with call.change(tenant=tenant(call)) as tx:
        user = await _oneself(tx, call)
        await profiles.edit_contact(tx, user, contact_id, _wanted(body))
        return _shown(call, user)


@router.delete("/v1/me/contacts/{contact_id}", response_model=UserView)
async def remove_own_contact(contact_id: UUID, call: Annotated[Call, ONESELF]) -> Response:
    async with call.change(tenant=tenant(call)) as tx:
        user = await _oneself(tx, call)
        await profiles.remove_contact(tx, user, contact_id)
        return _shown(call, user)


@router.patch("/v1/users/{user_id}", response_model=UserView)
async def edit(user_id: UUID, body: ProfileChanges, call: Annotated[Call, MANAGERS]) -> Response:
    """Change the name or language of a user of the partner."""
    async with call.change(tenant=tenant(call)) as tx:
        user = await users.held(tx, user_id, call.seen)
        await profiles.edit(tx, user, body.profile())
        return _shown(call, user)


@router.post("/v1/users/{user_id}/contacts", status_code=201, response_model=UserView)
async def add_contact(user_id: UUID, body: ContactBody, call: Annotated[Call, MANAGERS]) -> Response:
    async with call.change(tenant=tenant(call)) as tx:
        user = await users.held(tx, user_id)
        await profiles.add_contact(tx, user, _wanted(body))
        return _shown(call, user, status=201)


@router.put("/v1/users/{user_id}/contacts/{contact_id}", response_model=UserView)
async def edit_contact(user_id: UUID, contact_id: UUID, body: ContactBody, call: Annotated[Call, MANAGERS]) -> Response:
    async with call.change(tenant=tenant(call)) as tx:
        user = await users.held(tx, user_id, call.seen)
        await profiles.edit_contact(tx, user, contact_id, _wanted(body))
        return _shown(call, user)


@router.delete("/v1/users/{user_id}/contacts/{contact_id}", response_model=UserView)
async def remove_contact(user_id: UUID, contact_id: UUID, call: Annotated[Call, MANAGERS]) -> Response:
    async with call.change(tenant=tenant(call)) as tx:
        user = await users.held(tx, user_id, call.seen)
        await profiles.remove_contact(tx, user, contact_id)
        return _shown(call, user)


@router.post("/v1/users/{user_id}/disable", response_model=UserView)
async def disable(user_id: UUID, call: Annotated[Call, MANAGERS]) -> Response:
    """Let a user of the partner sign in no more; not oneself, and not the last Partner Administrator (CUS-83)."""
    async with call.change(tenant=tenant(call)) as tx:
        user = await users.held_other(tx, user_id, call.seen)
        await resting.disable(tx, user)
        return _shown(call, user)


@router.post("/v1/users/{user_id}/enable", response_model=UserView)
async def enable(user_id: UUID, call: Annotated[Call, MANAGERS]) -> Response:
    """Let a disabled user sign in again; who had set no password is mailed a new link."""
    async with call.change(tenant=tenant(call)) as tx:
        user = await users.held_other(tx, user_id, call.seen)
        await resting.enable(tx, user)
        return _shown(call, user)


@router.delete("/v1/users/{user_id}", status_code=204)
async def remove(user_id: UUID, call: Annotated[Call, MANAGERS]) -> Response:
    """Remove a user of the partner for good; not oneself, and not the last Partner Administrator (CUS-83)."""
    async with call.change(tenant=tenant(call)) as tx:
        await resting.remove(tx, await users.held_other(tx, user_id, call.seen))
        return call.answer(b"", status=204)


async def _oneself(tx: Transaction, call: Call) -> User:
    return await hold_user(tx, call.principal.user_id, call.seen)


def _wanted(body: EmailContact | SmsContact) -> WantedContact:
    return WantedContact(**body.model_dump())


def _shown(call: Call, user: User, *, status: int = 200) -> Response:
    return call.answer(UserView.of_entity(user), status=status, version=user.version)
