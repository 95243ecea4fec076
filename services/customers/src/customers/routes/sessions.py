"""Signing in and out over HTTP, setting a password, and who is signed in. Answers with tokens are never stored."""

from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from chassis.http import correlation
from chassis.http.bodies import Body
from chassis.http.calls import Call, Rails, allow, rails_of
from chassis.keys import published
from chassis.tokens import LIFETIME
from customers import credentials, me, sessions
from customers.credentials import SetPassword
from customers.rules.keyring import Keyring
from customers.rules.passwords import LONGEST
from customers.sessions import SignedIn

router = APIRouter(tags=["sessions"])

type Email = Annotated[str, Field(min_length=1, max_length=254, json_schema_extra={"format": "email"})]
type Password = Annotated[str, Field(min_length=1, max_length=LONGEST, json_schema_extra={"format": "password"})]
type Token = Annotated[str, Field(min_length=1, max_length=200)]

EVERYBODY = frozenset({"partner", "operator", "customer"})
_NO_STORE = {"cache-control": "no-store"}


class SignIn(Body):
    email: Email
    password: Password


class RefreshToken(Body):
    refresh_token: Token


class NewPassword(Body):
    """``token`` is the one in the mailed link."""

    token: Token
    password: Annotated[str, Field(max_length=1000, json_schema_extra={"format": "password"})]


class SignedInUser(BaseModel):
    id: UUID
    kind: str
    partner_id: UUID
    customer_id: UUID | None


class Tokens(BaseModel):
    """``expires_in`` is the access token's life in seconds."""

    access_token: str
    refresh_token: str
    token_type: str
    expires_in: int
    user: SignedInUser


class MyPartnerView(BaseModel):
    id: UUID
    name: str
    language: str
    time_zone: str
    support: dict[str, str | None]


class MyRoleView(BaseModel):
    id: UUID
    name: str


class MyUserView(BaseModel):
    id: UUID
    kind: str
    name: str
    email: str | None
    language: str
    customer_id: UUID | None


class MeView(BaseModel):
    user: MyUserView
    partner: MyPartnerView
    roles: list[MyRoleView]
    permissions: list[str]


@router.post("/v1/sessions", status_code=201, response_model=Tokens)
async def sign_in(body: SignIn, request: Request) -> Response:
    rails, keyring = _tools(request)
    signed_in = await sessions.start(rails.database, keyring, rails.clock.now(), email=body.email, password=body.password)
    return _tokens(signed_in, status=201)


@router.post("/v1/sessions/refresh", response_model=Tokens)
async def refresh(body: RefreshToken, request: Request) -> Response:
    rails, keyring = _tools(request)
    return _tokens(await sessions.refresh(rails.database, keyring, rails.clock.now(), token=body.refresh_token), status=200)


@router.post("/v1/sessions/end", status_code=204)
async def end(body: RefreshToken, request: Request) -> None:
    rails, _ = _tools(request)
    await sessions.end(rails.database, rails.clock.now(), token=body.refresh_token)


@router.post("/v1/credentials/set-password", status_code=204)
async def set_password(body: NewPassword, request: Request) -> None:
    rails, keyring = _tools(request)
    holder = await credentials.let_in(rails.database, keyring, rails.clock.now(), token=body.token, password=body.password)
    password_hash = await keyring.passwords.hash(body.password)
    async with rails.database.change(holder.principal, correlation=correlation.current()) as tx:
        await credentials.set_password(
            tx, SetPassword(user_id=holder.principal.user_id, link_id=holder.link_id, password_hash=password_hash)
        )


@router.get("/v1/me", response_model=MeView)
async def who_am_i(call: Annotated[Call, allow(kinds=EVERYBODY)]) -> Response:
    async with call.read() as read:
        return call.answer(await me.me(read))


@router.get("/.well-known/jwks.json", response_model=dict[str, list[dict[str, str]]])
async def keys(request: Request) -> Response:
    _, keyring = _tools(request)
    return Response(
        msgspec.json.encode(published([keyring.issuer.key])),
        media_type="application/json",
        headers={"cache-control": "public, max-age=300"},
    )


def _tools(request: Request) -> tuple[Rails, Keyring]:
    rails = rails_of(request)
    return rails, rails.tools


def _tokens(signed_in: SignedIn, *, status: int) -> Response:
    who = signed_in.principal
    tokens = Tokens(
        access_token=signed_in.access_token,
        refresh_token=signed_in.refresh_token,
        token_type="Bearer",  # noqa: S106 (a type, no secret)
        expires_in=int(LIFETIME.total_seconds()),
        user=SignedInUser(id=who.user_id, kind=who.kind, partner_id=who.partner_id, customer_id=who.customer_id),
    )
    return Response(tokens.model_dump_json(), status_code=status, media_type="application/json", headers=_NO_STORE)
