"""Consoles over HTTP: launched by partners, exchanged, asked about and left by the console itself, ended by either side (GW-04).

The console is no user: it is known by the key that it shares with this installation. Answers with codes and tokens are
never stored, so launching takes no idempotency key: whoever asks twice has two codes, of which each opens one session.
"""

from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from chassis.http import correlation
from chassis.http.bodies import Body
from chassis.http.calls import Call, Rails, allow, rails_of
from chassis.http.lists import Listing, ListQuery
from chassis.http.text import Text
from chassis.http.views import View
from customers.consoles import attending, launching, targets
from customers.consoles.attending import ConsoleSessionView, EndSession, StandingView
from customers.consoles.launching import LaunchConsole, LaunchView, OpenedView
from customers.consoles.targets import ConsoleTargetView
from customers.errors.consoles import ConsoleCodeInvalid, ConsoleUnknown, NoConsole
from customers.routes.bodies import Code
from customers.rules import actions, console_keys
from customers.rules.console_keys import Console, Opened

router = APIRouter(prefix="/v1", tags=["consoles"])

PARTNERS = frozenset({"partner"})
EVERYBODY = frozenset({"partner", "operator", "customer"})
_NO_STORE = {"cache-control": "no-store"}

type Secret = Annotated[str, Field(min_length=1, max_length=200)]


class TargetsQuery(ListQuery):
    """`q` is a fragment of the name, `offer` the code of a product that the customer has now."""

    q: Annotated[str, Text(200)] | None = None
    offer: Code | None = None


class SessionsQuery(ListQuery):
    """`live` ones are those under way."""

    live: bool = False


class Launch(Body):
    """`offer` is the code of a product that the customer has now, where the console of one is meant."""

    offer: Code | None = None


class Exchange(Body):
    code: Secret
    console_key: Secret


class SessionToken(Body):
    session_token: Secret
    console_key: Secret


@router.get("/console-targets", response_model=Listing[ConsoleTargetView])
async def list_targets(query: Annotated[TargetsQuery, Query()], call: Annotated[Call, allow(kinds=PARTNERS)]) -> Response:
    """Customers and their products, to pick whose console to launch (CUS-56)."""
    async with call.read() as read:
        return call.answer(await targets.page(read, query.wanted, q=query.q, offer=query.offer))


@router.post("/customers/{customer_id}/console-sessions", status_code=201, response_model=LaunchView)
async def launch(
    customer_id: UUID, call: Annotated[Call, allow(kinds=actions.LAUNCH_CONSOLE.kinds)], body: Launch | None = None
) -> Response:
    """Open the customer's console signed in, with full administrative rights: send the browser to `url` in a new tab (CUS-54)."""
    console = call.tools.console
    if console is None:
        raise NoConsole
    command = LaunchConsole(customer_id=customer_id, offer=body.offer if body else None)
    async with call.change(customer=customer_id, keyed=False) as tx:
        return _said(await launching.launch(tx, console, command), status=201)


@router.get("/customers/{customer_id}/console-sessions", response_model=Listing[ConsoleSessionView])
async def list_sessions(
    customer_id: UUID, query: Annotated[SessionsQuery, Query()], call: Annotated[Call, allow(kinds=EVERYBODY)]
) -> Response:
    """Who is, or was, at work in the customer's console; the customer itself sees it too."""
    async with call.read(customer=customer_id) as read:
        return call.answer(await attending.page(read, query.wanted, customer_id, live=query.live))


@router.post("/customers/{customer_id}/console-sessions/{session_id}/end", response_model=ConsoleSessionView)
async def end(customer_id: UUID, session_id: UUID, call: Annotated[Call, allow(kinds=EVERYBODY)]) -> Response:
    """End a session, whichever side asks; one that has ended stays as it is (CUS-55)."""
    async with call.change(customer=customer_id) as tx:
        session = await attending.end(tx, EndSession(customer_id=customer_id, session_id=session_id))
        return call.answer(session, version=session.version)


@router.post("/console-sessions/exchange", response_model=OpenedView)
async def exchange(body: Exchange, request: Request) -> Response:
    """Exchange the code that a browser brought for the session, once."""
    rails, opened = await _of(request, body.code, "code", body.console_key)
    if opened is None:
        raise ConsoleCodeInvalid
    async with rails.database.change(opened.principal, correlation=correlation.current()) as tx:
        session = await launching.exchange(tx, opened, body.code)
    if session is None:
        raise ConsoleCodeInvalid
    return _said(session)


@router.post("/console-sessions/introspect", response_model=StandingView)
async def introspect(body: SessionToken, request: Request) -> Response:
    """Whether a session goes on. Ask every few seconds: what was taken away is seen here at once."""
    rails, opened = await _of(request, body.session_token, "token", body.console_key)
    if opened is None:
        return _said(StandingView(active=False))
    async with rails.database.change(opened.principal, correlation=correlation.current()) as tx:
        return _said(await attending.look(tx, opened))


@router.post("/console-sessions/leave", status_code=204)
async def leave(body: SessionToken, request: Request) -> None:
    """End a session from its console: whoever was at work has signed out there. Leaving twice is once."""
    rails, opened = await _of(request, body.session_token, "token", body.console_key)
    if opened is not None:
        async with rails.database.change(opened.principal, correlation=correlation.current()) as tx:
            await attending.leave(tx, opened)


async def _of(request: Request, key: str, purpose: console_keys.Purpose, console_key: str) -> tuple[Rails, Opened | None]:
    rails = rails_of(request)
    console: Console | None = rails.tools.console
    if console is None or not console.is_known_by(console_key):
        raise ConsoleUnknown
    return rails, await console_keys.find(rails.database, key, purpose)


def _said(view: View, *, status: int = 200) -> Response:
    return Response(msgspec.json.encode(view), status_code=status, media_type="application/json", headers=_NO_STORE)
