"""Changing one's login address over HTTP: asked for with the password, then by the links of two mails."""

from typing import Annotated, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from chassis.http import correlation
from chassis.http.bodies import Body
from chassis.http.calls import Call
from chassis.http.text import EmailAddress
from customers.identity import email_changes
from customers.identity.email_changes import AskForAddress
from customers.routes.own import ONESELF, tenant, tools
from customers.routes.sessions import Password, Token
from customers.rules import proving
from customers.rules.proving import Shown

router: Final = APIRouter(tags=["email-changes"])


class AnotherAddress(Body):
    email: EmailAddress
    password: Password


class FollowedLink(Body):
    """``token`` is the one in the mailed link."""

    token: Token


@router.post("/v1/me/email-change", status_code=202)
async def ask(body: AnotherAddress, request: Request, call: Annotated[Call, ONESELF]) -> Response:
    """Ask to sign in by another address. It is written to and confirms it; until then nothing changes."""
    rails, keyring = tools(request)
    await proving.prove(rails.database, keyring, call.principal, Shown(password=body.password), rails.clock.now())
    async with call.change(tenant=tenant(call), keyed=False) as tx:
        await email_changes.ask(tx, AskForAddress(user_id=call.principal.user_id, email=body.email))
        return call.answer(b"", status=202)


@router.post("/v1/email-changes/confirm", status_code=204)
async def confirm(body: FollowedLink, request: Request) -> None:
    """Confirm the new address by its link. The old one is told, and may take it back for a week."""
    rails, keyring = tools(request)
    followed = await email_changes.follow(rails.database, keyring, body.token)
    async with rails.database.change(followed.principal, correlation=correlation.current()) as tx:
        await email_changes.confirm(tx, followed)


@router.post("/v1/email-changes/undo", status_code=204)
async def undo(body: FollowedLink, request: Request) -> None:
    """Take a change of address back by the link to the old one; the user is signed out everywhere."""
    rails, keyring = tools(request)
    followed = await email_changes.follow(rails.database, keyring, body.token)
    async with rails.database.change(followed.principal, correlation=correlation.current()) as tx:
        await email_changes.undo(tx, followed)
