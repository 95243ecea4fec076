"""The sample product console: what a vendor's console does to let partners in through Partnerdeck (GW-04).

It exchanges the code that a browser brings, asks about the session whenever something is done in it, at most every two
seconds, and says when the user signs out. What it shows of a product is a sentence; how it lets people in is the example.
"""

import html
import secrets
import time
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

from pyreqwest.client import Client, ClientBuilder
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from simulator.settings import ConsoleSettings

COOKIE: Final = "console"
ASK_AGAIN: Final = 2.0
"""Seconds."""
_HEADERS: Final = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; form-action 'self'",
}
_OVER: Final = "<p>Nobody is signed in here. Launch the console from Partnerdeck.</p>"


@dataclass(slots=True)
class Visit:
    """A browser that is signed in: what Partnerdeck said of its session, and when it was last asked."""

    session: dict[str, Any]
    asked_at: float


@dataclass(slots=True)
class Console:
    """The console's own memory, and its way to Partnerdeck."""

    settings: ConsoleSettings
    client: Client
    visits: dict[str, Visit] = field(default_factory=dict)

    async def open(self, request: Request) -> Response:
        """Exchange the code of the address, and go on without it: a code stays in no history."""
        status, said = await self._ask("exchange", {"code": request.query_params.get("code") or "-"})
        if status != HTTPStatus.OK:
            return _page("Not signed in", f"<p>{html.escape(said['title'])} {html.escape(said['remedy'])}</p>", status=HTTPStatus.FORBIDDEN)
        key = secrets.token_urlsafe(32)
        self.visits[key] = Visit(said, time.monotonic())
        answer = RedirectResponse("/console", HTTPStatus.SEE_OTHER, _HEADERS)
        answer.set_cookie(COOKIE, key, httponly=True, samesite="lax")
        return answer

    async def show(self, request: Request) -> Response:
        """Who is at work here, for whom, until when."""
        visit = await self._signed_in(request)
        if visit is None:
            return _page("Signed out", _OVER, status=HTTPStatus.UNAUTHORIZED)
        said = {name: html.escape(str(value)) for name, value in visit.session.items()}
        return _page(
            "Product console",
            f"<p><strong>{said['user_name']}</strong> works here as {said['rights']} of customer <code>{said['customer_id']}</code>"
            f" until {said['expires_at']}.</p>"
            '<form method="post" action="/leave"><button>Log out</button></form>',
        )

    async def leave(self, request: Request) -> Response:
        """Sign out; the session ends at Partnerdeck too."""
        visit = self.visits.pop(request.cookies.get(COOKIE, ""), None)
        if visit is not None:
            await self._ask("leave", {"session_token": visit.session["session_token"]})
        answer = _page("Signed out", "<p>You are signed out. Close this tab.</p>")
        answer.delete_cookie(COOKIE)
        return answer

    async def _signed_in(self, request: Request) -> Visit | None:
        key = request.cookies.get(COOKIE, "")
        visit = self.visits.get(key)
        if visit is None or time.monotonic() - visit.asked_at < ASK_AGAIN:
            return visit
        _, said = await self._ask("introspect", {"session_token": visit.session["session_token"]})
        if not said.get("active"):
            self.visits.pop(key, None)
            return None
        visit.asked_at = time.monotonic()
        return visit

    async def _ask(self, what: str, body: dict[str, str]) -> tuple[int, dict[str, Any]]:
        key = self.settings.console_key.get_secret_value()
        answer = await self.client.post(f"/v1/console-sessions/{what}").body_json(body | {"console_key": key}).build().send()
        return answer.status, (await answer.json() if answer.status != HTTPStatus.NO_CONTENT else {})


def app(settings: ConsoleSettings) -> Starlette:
    """The console as an ASGI application."""
    client = ClientBuilder().base_url(str(settings.partnerdeck_url)).no_proxy().timeout(timedelta(seconds=10)).build()
    console = Console(settings, client)
    return Starlette(
        routes=[
            Route("/", console.open),
            Route("/console", console.show),
            Route("/leave", console.leave, methods=["POST"]),
        ]
    )


def _page(title: str, body: str, *, status: int = HTTPStatus.OK) -> HTMLResponse:
    document = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><h1>{title}</h1>{body}</html>'
    return HTMLResponse(document, status, _HEADERS)
