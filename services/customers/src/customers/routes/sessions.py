"""Signing in and out over HTTP, setting a password, and who is signed in. Answers with tokens are never stored."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from chassis.http import correlation
from chassis.http.bodies import Body
from chassis.http.calls import Call, Rails, allow, rails_of
from chassis.keys import published
from customers import credentials, me, sessions
from customers.credentials import SetPassword
from customers.me import MeView
from customers.rules.keyring import Keyring
from customers.rules.passwords import LONGEST
from customers.sessions import SignedIn, TokensView

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


@router.post("/v1/sessions", status_code=201, response_model=TokensView)
async def sign_in(body: SignIn, request: Request) -> Response:
    rails, keyring = _tools(request)
    signed_in = await sessions.start(rails.database, keyring, rails.clock.now(), email=body.email, password=body.password)
    return _tokens(signed_in, status=201)


@router.post("/v1/sessions/refresh", response_model=TokensView)
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
    return Response(msgspec.json.encode(sessions.shown(signed_in)), status_code=status, media_type="application/json", headers=_NO_STORE)
