"""What is no refusal: bad requests as the framework sees them, the database's complaints, and bugs.

Each becomes a problem here. A bug or an outage is logged once, with the request's id, and
says nothing to the caller.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.orm.exc import StaleDataError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.errors import Refusal
from chassis.failures import Verdict, judge, sqlstate
from chassis.http import etags, problems
from chassis.http.idempotency import Replayed
from chassis.http.invalid import invalid
from chassis.http.problems import BODY_TOO_LARGE, INTERNAL, MALFORMED, NO_SUCH_PATH, NOT_JSON, Problem, other_methods

log = structlog.get_logger(__name__)

_HTTP: Final = {one.status: one for one in (MALFORMED, NO_SUCH_PATH, other_methods(), BODY_TOO_LARGE, NOT_JSON)}
_LOCKED: Final = frozenset({"55P03", "40P01", "40001"})
_UNTRANSLATABLE: Final = frozenset({"22021", "22P05"})
_DISK_FULL: Final = "53100"

BUSY: Final = Problem(
    status=409,
    code="busy",
    title="Somebody else is changing the same thing.",
    remedy="Try again in a moment, with the same Idempotency-Key.",
    retry_after=1,
)
UNTRANSLATABLE: Final = Problem(
    status=422, code="untranslatable", title="A text holds a character that cannot be kept.", remedy="Leave out U+0000."
)
UNAVAILABLE: Final = Problem(
    status=503, code="unavailable", title="The service cannot answer at the moment.", remedy="Try again in a moment.", retry_after=1
)
STORAGE_FULL: Final = Problem(
    status=503,
    code="storage_full",
    title="There is no room to keep more.",
    remedy="Nothing was changed. Try again later, with the same Idempotency-Key; whoever runs this makes room.",
    retry_after=30,
)


def handle(app: FastAPI) -> None:
    """Register what turns exceptions of routes into problems; ``LastResort`` catches the rest."""
    handlers: dict[type[Exception], Callable[[Any], Problem]] = {
        Refusal: problems.of,
        RequestValidationError: invalid,
        HTTPException: _of_http,
        StaleDataError: _stale,
    }
    for kind, describe in handlers.items():
        app.add_exception_handler(kind, _handler(describe))
    app.add_exception_handler(Replayed, _replay)


class LastResort:
    """ASGI: an exception that nobody turned into an answer is logged once and answered without telling why."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def watch(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except Exception as failure:  # noqa: BLE001 - the outermost edge of a request
            problem = of_failure(failure)
            if not begun:
                await problem.answer(scope).send(send)


def of_failure(failure: Exception) -> Problem:
    """The problem that an unexpected exception is. Logs it, unless it is only a lock that was not got."""
    state = sqlstate(failure)
    if state in _LOCKED:
        return BUSY
    if state in _UNTRANSLATABLE:
        return UNTRANSLATABLE
    if state == _DISK_FULL:
        log.error("storage_full", failure=type(failure).__name__, exc_info=failure)
        return STORAGE_FULL
    if judge(failure) is Verdict.PASSING:
        log.error("dependency_failed", failure=type(failure).__name__, sqlstate=state, exc_info=failure)
        return UNAVAILABLE
    log.error("request_failed", failure=type(failure).__name__, exc_info=failure)
    return INTERNAL


def _handler(describe: Callable[[Any], Problem]) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def handler(request: Request, raised: Exception) -> Response:
        return describe(raised).answer(request.scope).response()

    return handler


async def _replay(_: Request, raised: Exception) -> Response:
    if not isinstance(raised, Replayed):
        raise raised
    return raised.answer.response()


def _stale(_: StaleDataError) -> Problem:
    return problems.of(etags.Stale())


def _of_http(raised: HTTPException) -> Problem:
    status = raised.status_code
    headers = tuple((name.lower(), value) for name, value in (raised.headers or {}).items())
    if known := _HTTP.get(status):
        return replace(known, headers=headers)
    remedy = "Compare the request with the OpenAPI document."
    return Problem(status=status, code=f"http_{status}", title="The request was refused.", remedy=remedy, headers=headers)
