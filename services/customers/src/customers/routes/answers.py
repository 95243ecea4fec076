"""Answers by a mailed link over HTTP: nobody is signed in, and the token alone says what is answered."""

from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Header, Request
from pydantic import Field
from starlette.responses import Response

from chassis.http import correlation
from chassis.http.bodies import Body
from chassis.http.calls import rails_of
from customers.consents import answers
from customers.consents.answers import AskedView

router: Final = APIRouter(prefix="/v1/consents", tags=["answers"])

type Token = Annotated[str, Field(min_length=1, max_length=200)]

_NO_STORE: Final = {"cache-control": "no-store"}


class Declined(Body):
    """``token`` is the one in the mailed link."""

    token: Token


class Confirmed(Declined):
    """`no_macs` says that no Mac is left in the account: an import asks for that, unless unmanaged Macs are allowed (CUS-47)."""

    no_macs: bool = False


@router.get("/asked", response_model=AskedView)
async def asked(request: Request, partnerdeck_link: Annotated[Token, Header()]) -> Response:
    """What is asked by the link whose token `Partnerdeck-Link` carries; it is no part of the address, which is written to logs."""
    rails = rails_of(request)
    holder = await answers.let_in(rails.database, rails.tools, partnerdeck_link)
    async with rails.database.change(holder.principal, correlation=correlation.current()) as tx:
        view = await answers.asked(tx, holder)
    return Response(msgspec.json.encode(view), media_type="application/json", headers=_NO_STORE)


@router.post("/confirm", status_code=204)
async def confirm(body: Confirmed, request: Request) -> None:
    """Say yes to what was asked; it follows at once, an import within seconds."""
    rails = rails_of(request)
    holder = await answers.let_in(rails.database, rails.tools, body.token)
    async with rails.database.change(holder.principal, correlation=correlation.current()) as tx:
        await answers.confirm(tx, await answers.of_holder(tx, holder, no_macs=body.no_macs))


@router.post("/decline", status_code=204)
async def decline(body: Declined, request: Request) -> None:
    """Say no to what was asked: everything stays as it is."""
    rails = rails_of(request)
    holder = await answers.let_in(rails.database, rails.tools, body.token)
    async with rails.database.change(holder.principal, correlation=correlation.current()) as tx:
        await answers.decline(tx, await answers.of_holder(tx, holder))
