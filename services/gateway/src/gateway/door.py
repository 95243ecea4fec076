"""The door: every request passes here, once.

Path, then identity, then how often, then the service. A token is verified here once a minute
and passed on, and every service verifies it again: the door keeps strangers out, it does not
vouch for anybody.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import structlog
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from chassis import logs
from chassis.clock import Clock
from chassis.errors import Refusal
from chassis.http import problems
from chassis.http.answers import Answer
from chassis.http.limits import BAD_TARGET
from chassis.http.problems import INTERNAL, Problem, other_methods
from chassis.tokens import Verifier, bearer
from gateway import heads
from gateway.errors import NoSuchPath, UpstreamUnavailable
from gateway.forwarding import BrokenOff, forward
from gateway.leaving import CallerLeft
from gateway.paths import Paths, Route
from gateway.rates import Rate, network
from gateway.table import OWN, PATHS, PROBING, PUBLIC, UNLIMITED
from gateway.upstreams import Upstream

log = structlog.get_logger(__name__)

type Page = Callable[[Scope], Awaitable[Answer]]
"""What the gateway answers itself, by GET."""
type Said = tuple[tuple[bytes, bytes], ...]

ONLY_GET: Final = other_methods("GET", "HEAD")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """How often may ask who is signed in, by partner, and who is not, by address; and what is taken, by user."""

    partner: Rate
    address: Rate
    probe: Rate


class Door:
    """ASGI: answers every request, be it by a problem."""

    def __init__(
        self, *, upstreams: Mapping[str, Upstream], pages: Mapping[str, Page], verifier: Verifier, rates: Rates, clock: Clock
    ) -> None:
        self._upstreams = upstreams
        self._pages = pages
        self._verifier = verifier
        self._rates = rates
        self._clock = clock
        self._paths = Paths(PATHS, OWN)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answering = _Answering(send)
        try:
            await self._admit(scope, receive, answering)
        except Refusal as refusal:
            answering.said = getattr(refusal, "headers", answering.said)
            await problems.of(refusal).answer(scope).send(answering.send)
        except CallerLeft:
            return
        except HTTPException:
            raise
        except BrokenOff:
            await answering.fail(scope, problems.of(UpstreamUnavailable(retry_after=1)))
        except Exception:
            log.exception("request_failed")
            await answering.fail(scope, INTERNAL)

    async def _admit(self, scope: Scope, receive: Receive, answering: "_Answering") -> None:
        if not scope["query_string"].isascii():
            await BAD_TARGET.answer(scope).send(answering.send)
            return
        route = self._paths.find(scope["path"])
        if route is None:
            raise NoSuchPath
        scope["route"] = route
        answering.said = await self._identify(scope, route)
        if route.service is not None:
            await forward(self._upstreams[route.service], scope, receive, answering.send)
        else:
            await self._answer(scope, route, answering.send)

    async def _identify(self, scope: Scope, route: Route) -> Said:
        """Who asks, and whether it may ask once more; what the answer says about that."""
        if route.path in UNLIMITED:
            return ()
        if (scope["method"], route.path) in PUBLIC:
            return self._rates.address.take(network(heads.address(scope))).headers
        try:
            principal = await self._verifier.verify(bearer(heads.first(scope, b"authorization")), self._clock.now())
        except Refusal:
            self._rates.address.take(network(heads.address(scope)))
            raise
        scope["principal"] = principal
        logs.bind(partner_id=principal.partner_id, user_id=principal.user_id)
        if (scope["method"], route.path) in PROBING:
            return self._rates.probe.take(principal.user_id.int).headers
        return self._rates.partner.take(principal.partner_id.int).headers

    async def _answer(self, scope: Scope, route: Route, send: Send) -> None:
        if scope["method"] not in {"GET", "HEAD"}:
            await ONLY_GET.answer(scope).send(send)
            return
        answer = await self._pages[route.path](scope)
        name, value = heads.NO_SNIFFING
        sniffed = (name.decode("latin-1"), value.decode("latin-1"))
        await Answer(status=answer.status, body=answer.body, headers=(*answer.headers, sniffed)).send(send)


class _Answering:
    """Puts what the door has to say into the answer's head, whoever makes the answer, and remembers whether it has begun."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.said: Said = ()
        self.begun = False

    async def send(self, message: Message) -> None:
        if not self.begun:
            self.begun = True
            message["headers"] = [*message["headers"], *self.said]
        await self._send(message)

    async def fail(self, scope: Scope, problem: Problem) -> None:
        """Answer by a problem, unless something was answered already: then it breaks off."""
        if not self.begun:
            await problem.answer(scope).send(self.send)
