"""API keys over HTTP, and what they are exchanged for. Answers with a secret or a token are never stored."""

from datetime import timedelta
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from annotated_types import Len
from fastapi import APIRouter, Query, Request
from pydantic import AwareDatetime, Field
from starlette.responses import Response

from chassis.access.permissions import Permission
from chassis.http.bodies import Body
from chassis.http.calls import Call, allow
from chassis.http.etags import Seen
from chassis.http.lists import Asked, Listing
from chassis.http.text import Name
from customers.api_keys import exchanging, key_list, keys
from customers.api_keys.exchanging import TokenView
from customers.api_keys.key_list import ApiKeyView, MadeKeyView
from customers.api_keys.keys import ChangeKey, CreateKey, RevokeKey, RotateKey
from customers.routes.own import STAFF, tenant, tools

router: Final = APIRouter(tags=["api-keys"])

type RoleIds = Annotated[list[UUID], Len(1, 20)]
type Scopes = Annotated[list[Permission], Len(max_length=20)]
type Overlap = Annotated[timedelta, Field(ge=timedelta(), le=timedelta(days=30))]

_GIVERS: Final = allow(Permission.ROLES_MANAGE, kinds=STAFF)
_MANAGERS: Final = allow(Permission.USERS_MANAGE, kinds=STAFF)
_NO_STORE: Final = {"cache-control": "no-store"}


class NewApiKey(Body):
    """The key may do what its roles permit, as far as `scopes` names it; without `expires_at` it is good until it is revoked."""

    name: Name
    role_ids: RoleIds
    scopes: Scopes
    expires_at: AwareDatetime | None = None


class ChangedApiKey(Body):
    """What is left out stays as it is."""

    name: Name = Field(default_factory=str)
    role_ids: RoleIds = Field(default_factory=list)
    scopes: Scopes = Field(default_factory=list)

    def command(self, key_id: UUID, seen: Seen) -> ChangeKey:
        said: dict[str, Any] = {name: getattr(self, name) for name in self.model_fields_set}
        given: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in said.items()}
        return ChangeKey(key_id=key_id, seen=seen, **given)


class Rotation(Body):
    """For `overlap` (a duration; `PT0S` where the secret has leaked) the earlier secret stays good. `expires_at` is the new one's."""

    overlap: Overlap = timedelta(days=1)
    expires_at: AwareDatetime | None = None


class ShownKey(Body):
    api_key: Annotated[str, Field(min_length=1, max_length=200, json_schema_extra={"format": "password"})]


@router.post("/v1/tokens", status_code=201, response_model=TokenView)
async def exchange(body: ShownKey, request: Request) -> Response:
    """Exchange an API key for an access token (MKT-17)."""
    rails, keyring = tools(request)
    now = rails.clock.now()
    view = exchanging.shown(await exchanging.exchange(rails.database, keyring, now, key=body.api_key), now)
    return Response(msgspec.json.encode(view), status_code=201, media_type="application/json", headers=_NO_STORE)


@router.post("/v1/api-keys", status_code=201, response_model=MadeKeyView)
async def create(body: NewApiKey, call: Annotated[Call, _GIVERS]) -> Response:
    """Make a key. Its secret is said in this answer and never again, so no idempotency key is kept."""
    command = CreateKey(name=body.name, role_ids=tuple(body.role_ids), scopes=tuple(body.scopes), expires_at=body.expires_at)
    async with call.change(tenant=tenant(call), keyed=False) as tx:
        made = await keys.create(tx, command)
        return _secret(call.created(await key_list.made(tx, made), location=f"/v1/api-keys/{made.key.id}", version=made.key.version))


@router.get("/v1/api-keys", response_model=Listing[ApiKeyView])
async def list_keys(_: Annotated[Asked, Query()], call: Annotated[Call, _MANAGERS]) -> Response:
    """The partner's keys, and when each was used last."""
    async with call.read() as read:
        return call.answer(await key_list.every(read))


@router.get("/v1/api-keys/{key_id}", response_model=ApiKeyView)
async def get(key_id: UUID, call: Annotated[Call, _MANAGERS]) -> Response:
    async with call.read() as read:
        key = await key_list.one(read, key_id)
        return call.answer(key, version=key.version)


@router.patch("/v1/api-keys/{key_id}", response_model=ApiKeyView)
async def change(key_id: UUID, body: ChangedApiKey, call: Annotated[Call, _GIVERS]) -> Response:
    """Change what a key is called and may do; it takes effect everywhere within five seconds."""
    async with call.change(tenant=tenant(call)) as tx:
        command = body.command(key_id, call.seen)
        key = await keys.change(tx, command)
        return call.answer(await key_list.shown(tx, key), version=key.version)


@router.post("/v1/api-keys/{key_id}/rotate", response_model=MadeKeyView)
async def rotate(key_id: UUID, body: Rotation, call: Annotated[Call, _GIVERS]) -> Response:
    """Give a key another secret, said in this answer and never again; the earlier one is good until the overlap is over."""
    async with call.change(tenant=tenant(call), keyed=False) as tx:
        command = RotateKey(key_id=key_id, seen=call.seen, overlap=body.overlap, expires_at=body.expires_at)
        made = await keys.rotate(tx, command)
        return _secret(call.answer(await key_list.made(tx, made), version=made.key.version))


@router.delete("/v1/api-keys/{key_id}", status_code=204)
async def revoke(key_id: UUID, call: Annotated[Call, _MANAGERS]) -> Response:
    """End a key for good, in every service within five seconds. Who is in a hurry sends `If-Match: *`."""
    async with call.change(tenant=tenant(call)) as tx:
        await keys.revoke(tx, RevokeKey(key_id=key_id, seen=call.seen))
        return call.answer(b"", status=204)


def _secret(answer: Response) -> Response:
    answer.headers.update(_NO_STORE)
    return answer
