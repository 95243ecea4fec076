"""Signing in and out over HTTP, and the sessions that somebody has. Answers with tokens are never stored."""

from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from chassis.access.permissions import Permission
from chassis.http.bodies import Body
from chassis.http.calls import Call, allow
from chassis.http.lists import Listing
from chassis.http.views import View
from chassis.keys import published
from customers import sessions, users
from customers.identity import own_sessions
from customers.identity.own_sessions import EndSessions, SessionView
from customers.routes.own import ONESELF, STAFF, device, tenant, tools
from customers.rules.letting_in import SignedIn
from customers.rules.password_rules import LONGEST
from customers.sessions import ChallengeView, TokensView

router: Final = APIRouter(tags=["sessions"])

type Email = Annotated[str, Field(min_length=1, max_length=254, json_schema_extra={"format": "email"})]
type Password = Annotated[str, Field(min_length=1, max_length=LONGEST, json_schema_extra={"format": "password"})]
type Token = Annotated[str, Field(min_length=1, max_length=200)]
type Code = Annotated[str, Field(min_length=6, max_length=40)]

_NO_STORE: Final = {"cache-control": "no-store"}
_ASKED: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": ChallengeView, "description": "The password was right; the second factor is asked for."}
}
_MANAGERS: Final = allow(Permission.USERS_MANAGE, kinds=STAFF)


class SignIn(Body):
    email: Email
    password: Password


class SecondStep(Body):
    """``code`` is what the authenticator shows, or a recovery code."""

    challenge: Token
    code: Code


class RefreshToken(Body):
    refresh_token: Token


@router.post("/v1/sessions", status_code=201, response_model=TokensView, responses=_ASKED)
async def sign_in(body: SignIn, request: Request) -> Response:
    """Sign in by password (GW-01). Whoever has a second factor is answered 202, and goes on with `POST /v1/sessions/second-factor`."""
    rails, keyring = tools(request)
    now = rails.clock.now()
    outcome = await sessions.start(rails.database, keyring, now, device(request), email=body.email, password=body.password)
    return _tokens(outcome, status=201) if isinstance(outcome, SignedIn) else _secret(sessions.asked(outcome), status=202)


@router.post("/v1/sessions/second-factor", status_code=201, response_model=TokensView)
async def second_step(body: SecondStep, request: Request) -> Response:
    """Sign in by the second factor, after the password (MKT-04)."""
    rails, keyring = tools(request)
    now = rails.clock.now()
    return _tokens(
        await sessions.finish(rails.database, keyring, now, device(request), challenge=body.challenge, code=body.code), status=201
    )


@router.post("/v1/sessions/refresh", response_model=TokensView)
async def refresh(body: RefreshToken, request: Request) -> Response:
    rails, keyring = tools(request)
    return _tokens(await sessions.refresh(rails.database, keyring, rails.clock.now(), token=body.refresh_token), status=200)


@router.post("/v1/sessions/end", status_code=204)
async def end(body: RefreshToken, request: Request) -> None:
    rails, _ = tools(request)
    await sessions.end(rails.database, token=body.refresh_token)


@router.get("/v1/me/sessions", response_model=Listing[SessionView])
async def list_mine(call: Annotated[Call, ONESELF]) -> Response:
    """Where one is signed in."""
    async with call.read() as read:
        return call.answer(await own_sessions.of(read, call.principal.user_id))


@router.post("/v1/me/sessions/end", status_code=204)
async def end_mine(call: Annotated[Call, ONESELF]) -> Response:
    """Sign out everywhere, here too. It is over in every service within five seconds."""
    async with call.change(tenant=tenant(call)) as tx:
        await own_sessions.end(tx, EndSessions(user_id=call.principal.user_id))
        return call.answer(b"", status=204)


@router.post("/v1/me/sessions/{session_id}/end", status_code=204)
async def end_one(session_id: UUID, call: Annotated[Call, ONESELF]) -> Response:
    """End one session in every service within five seconds; the others go on once they exchange their refresh token."""
    async with call.change(tenant=tenant(call)) as tx:
        await own_sessions.end(tx, EndSessions(user_id=call.principal.user_id, session_id=session_id))
        return call.answer(b"", status=204)


@router.get("/v1/users/{user_id}/sessions", response_model=Listing[SessionView])
async def list_of_user(user_id: UUID, call: Annotated[Call, _MANAGERS]) -> Response:
    """Where a user of the partner is signed in."""
    async with call.read() as read:
        await users.one(read, user_id)
        return call.answer(await own_sessions.of(read, user_id))


@router.post("/v1/users/{user_id}/sessions/end", status_code=204)
async def end_of_user(user_id: UUID, call: Annotated[Call, _MANAGERS]) -> Response:
    """Sign a user of the partner out everywhere."""
    async with call.change(tenant=tenant(call)) as tx:
        await users.held(tx, user_id)
        await own_sessions.end(tx, EndSessions(user_id=user_id, why="ended_by_administrator"))
        return call.answer(b"", status=204)


@router.get("/.well-known/jwks.json", response_model=dict[str, list[dict[str, str]]])
async def keys(request: Request) -> Response:
    _, keyring = tools(request)
    return Response(
        msgspec.json.encode(published([keyring.issuer.key])),
        media_type="application/json",
        headers={"cache-control": "public, max-age=300"},
    )


def _tokens(signed_in: SignedIn, *, status: int) -> Response:
    return _secret(sessions.shown(signed_in), status=status)


def _secret(view: View, *, status: int) -> Response:
    return Response(msgspec.json.encode(view), status_code=status, media_type="application/json", headers=_NO_STORE)
