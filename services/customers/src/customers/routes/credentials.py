"""Passwords over HTTP: set by a mailed link, changed beside the old one, reset. No body of these is kept or logged."""

from typing import Annotated, Final

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from chassis.http import correlation
from chassis.http.bodies import Body
from chassis.http.calls import Call
from customers import credentials
from customers.credentials import ChangePassword, SetPassword
from customers.identity import resets
from customers.routes.own import ONESELF, device, tenant, tools
from customers.routes.sessions import Email, Password, Token
from customers.rules import password_rules, proving, throttling
from customers.rules.proving import Shown
from customers.rules.throttling import Attempt

router: Final = APIRouter(tags=["sessions"])

type Wanted = Annotated[str, Field(max_length=1000, json_schema_extra={"format": "password"})]


class NewPassword(Body):
    """``token`` is the one in the mailed link."""

    token: Token
    password: Wanted


class AnotherPassword(Body):
    current_password: Password
    password: Wanted


class Forgotten(Body):
    email: Email


@router.post("/v1/credentials/set-password", status_code=204)
async def set_password(body: NewPassword, request: Request) -> None:
    """Set a password by the link of a mail; every session from before is over."""
    rails, keyring = tools(request)
    now = rails.clock.now()
    holder = await credentials.let_in(rails.database, keyring, now, token=body.token, password=body.password)
    password_hash = await keyring.passwords.hash(body.password)
    async with rails.database.change(holder.principal, correlation=correlation.current(), role="partner") as tx:
        await credentials.set_password(
            tx, SetPassword(user_id=holder.principal.user_id, link_id=holder.link_id, password_hash=password_hash)
        )
    await throttling.make_known(rails.database, Attempt(holder.email.lower(), device(request).address), now)


@router.post("/v1/password-resets", status_code=202)
async def reset_password(body: Forgotten, request: Request) -> Response:
    """Have a link mailed to set another password. The answer is the same whether somebody has the address or not."""
    rails, _ = tools(request)
    await resets.ask(rails.database, rails.clock.now(), email=body.email, address=device(request).address)
    return Response(status_code=202)


@router.post("/v1/me/password", status_code=204)
async def change_password(body: AnotherPassword, request: Request, call: Annotated[Call, ONESELF]) -> Response:
    """Change one's own password; the other sessions are over, and this one goes on once it exchanges its refresh token."""
    rails, keyring = tools(request)
    shown = Shown(password=body.current_password, pointer="/current_password")
    known = await proving.prove(rails.database, keyring, call.principal, shown, rails.clock.now())
    password_rules.check(body.password, known.words, second_factor=known.second_factor)
    password_hash = await keyring.passwords.hash(body.password)
    command = ChangePassword(user_id=call.principal.user_id, session_id=call.principal.session_id, password_hash=password_hash)
    async with call.change(tenant=tenant(call), keyed=False) as tx:
        await credentials.change_password(tx, command)
        return call.answer(b"", status=204)
