"""Upstreams: the services behind the gateway, asked over connections that are kept.

The only place that retries, and only a GET whose connection failed. Redirects are not
followed, bodies are not unpacked, no proxy of the environment is used: what a service says is
what the caller gets.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

import structlog
from prometheus_client import Counter
from pyreqwest.client import Client, ClientBuilder
from pyreqwest.exceptions import RequestError, RequestTimeoutError
from pyreqwest.request import RequestBuilder, StreamRequest
from pyreqwest.response import Response

from chassis import metrics
from chassis.health import PATIENCE
from gateway.circuits import Circuit, RetryBudget
from gateway.errors import BodyTooSlow, UpstreamTimedOut, UpstreamUnavailable

log = structlog.get_logger(__name__)

CONNECTING: Final = timedelta(seconds=1)
READING: Final = timedelta(seconds=20)
_IDLE: Final = timedelta(seconds=4)
"""Below the five seconds after which a service closes a connection that is not used."""
_UNREAD: Final = 0
"""Bytes of an answer that are waited for before its head is given out: none, or nothing would stream."""
_BREATH: Final = 0.05

FAILURES: Final = Counter("gateway_upstream_failures", "Requests that a service did not answer", ("service",), registry=metrics.REGISTRY)
RETRIES: Final = Counter("gateway_upstream_retries", "Requests that were sent a second time", ("service",), registry=metrics.REGISTRY)

type Headers = list[tuple[str, str]]


class Arriving(Protocol):
    """A body whose end its caller may not have sent yet."""

    @property
    def arrived(self) -> bool: ...
    def __aiter__(self) -> AsyncIterator[bytes]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request to a service. ``target`` is path and query as they go over the wire.

    A request that is given up before its answer has begun goes on, unseen, until ``deadline``
    seconds are over (else ``READING``): the client below cannot take it back earlier.
    """

    method: str
    target: str
    headers: Headers
    body: bytes | Arriving | None = None
    deadline: float | None = None

    @property
    def unfinished(self) -> bool:
        """Whether the caller still owes a part of its body: that time runs out then is no failure of the service."""
        return not (self.body is None or isinstance(self.body, bytes) or self.body.arrived)


def make_client() -> Client:
    """One client for all services. Its read timeout bounds the wait for an answer's head and for each part of its body."""
    builder = ClientBuilder().http1_only().http1_lower_case_headers().no_proxy().follow_redirects(enable=False).referer(enable=False)
    builder = builder.gzip(enable=False).brotli(enable=False).zstd(enable=False).deflate(enable=False)
    builder = builder.connect_timeout(CONNECTING).read_timeout(READING).pool_idle_timeout(_IDLE)
    return builder.user_agent("partnerdeck-gateway").build()


class Upstream:
    """One service."""

    def __init__(self, name: str, url: str, client: Client) -> None:
        self.name: Final = name
        self.circuit: Final = Circuit()
        self._url = url.rstrip("/")
        self._client = client
        self._budget = RetryBudget()

    def asked(self, ask: Ask) -> "Asked":
        """The service's answer, whatever its status; the body is read inside, and leaving gives it up."""
        return Asked(self, ask)

    async def reaches(self, target: str) -> bool:
        """Whether a GET is answered with 200, asked past the circuit."""
        async with self._build(Ask(method="GET", target=target, headers=[], deadline=PATIENCE)).build_streamed() as response:
            return response.status == 200  # noqa: PLR2004

    async def begin(self, ask: Ask) -> tuple[StreamRequest, Response]:
        """The answer's head, and the request that its body belongs to.

        Raises:
            UpstreamUnavailable: it cannot be reached, or could not be lately.
            UpstreamTimedOut: it did not begin to answer in time.
            BodyTooSlow: it could not, because the caller had not sent all of its body.
        """
        if not self.circuit.admits():
            raise UpstreamUnavailable(retry_after=1, service=self.name)
        self._budget.earn()
        try:
            begun = await self._attempts(ask)
        except RequestError as failure:
            if isinstance(failure, RequestTimeoutError) and ask.unfinished:
                raise BodyTooSlow from failure
            self.circuit.failed()
            FAILURES.labels(self.name).inc()
            log.warning("upstream_failed", upstream=self.name, failure=type(failure).__name__, circuit_open=self.circuit.open)
            refusal = UpstreamTimedOut if isinstance(failure, RequestTimeoutError) else UpstreamUnavailable
            raise refusal(retry_after=1, service=self.name) from failure
        self.circuit.succeeded()
        return begun

    async def _attempts(self, ask: Ask) -> tuple[StreamRequest, Response]:
        try:
            return await self._attempt(ask)
        except RequestError as failure:
            again = ask.method == "GET" and ask.body is None and not isinstance(failure, RequestTimeoutError)
            if not again or self.circuit.open or not self._budget.spend():
                raise
        RETRIES.labels(self.name).inc()
        await asyncio.sleep(_BREATH)
        return await self._attempt(ask)

    async def _attempt(self, ask: Ask) -> tuple[StreamRequest, Response]:
        request = self._build(ask).build_streamed()
        return request, await request.__aenter__()

    def _build(self, ask: Ask) -> RequestBuilder:
        builder = self._client.request(ask.method, self._url + ask.target).headers(ask.headers).streamed_read_buffer_limit(_UNREAD)
        if ask.deadline is not None:
            builder = builder.timeout(timedelta(seconds=ask.deadline))
        if ask.body is None:
            return builder
        return builder.body_bytes(ask.body) if isinstance(ask.body, bytes) else builder.body_stream(ask.body)


class Asked:
    """A request under way, from its answer's head on until it is left. A generator for each would cost more than all else here."""

    def __init__(self, upstream: Upstream, ask: Ask) -> None:
        self._upstream = upstream
        self._ask = ask

    async def __aenter__(self) -> Response:
        self._request, response = await self._upstream.begin(self._ask)
        return response

    async def __aexit__(self, *_: object) -> None:
        await self._request.__aexit__(None, None, None)
