"""The gateway on a real port, in front of four services on real ports that write down what they were asked."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import uvicorn
from joserfc.jwk import OKPKey
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.ids import new_id
from chassis.keys import published
from chassis.principal import Principal
from chassis.serving import _Server
from chassis.tokens import Issuer
from chassis_testing.waiting import eventually
from gateway.app import listening, opened
from gateway.settings import Settings

SERVICES = ("customers", "licensing", "reporting", "notifications")
KEY = OKPKey.generate_key("Ed25519")

type Handler = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True)
class Asked:
    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for said, value in self.headers if said == name), None)


async def answer(send: Send, body: Any = b"", status: int = 200, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    length = (b"content-length", str(len(raw)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"application/json"), length, *headers]})
    await send({"type": "http.response.body", "body": raw})


async def body_of(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionAbortedError
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


@dataclass
class Service:
    """One service behind the gateway. Answers 200 with its name to everything that has no handler."""

    name: str
    listener: socket.socket = field(default_factory=lambda: _bound(0))
    asked: list[Asked] = field(default_factory=list)
    handlers: dict[str, Handler] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.port: int = self.listener.getsockname()[1]
        self._running = AsyncExitStack()
        self.reset()

    def reset(self) -> None:
        self.asked.clear()
        self.handlers.clear()
        if self.name == "customers":
            self.says("/.well-known/jwks.json", published([KEY]))
        self.says("/openapi.json", {"paths": {}})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def says(self, path: str, body: Any, status: int = 200) -> None:
        async def handler(_: Scope, receive: Receive, send: Send) -> None:
            await body_of(receive)
            await answer(send, body, status)

        self.handlers[path] = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
        headers = [(name.decode(), value.decode("latin-1")) for name, value in scope["headers"]]
        handler = self.handlers.get(scope["path"])
        try:
            body = b"" if handler else await body_of(receive)
        except ConnectionAbortedError:
            return
        self.asked.append(Asked(scope["method"], target.decode(), headers, body))
        if handler:
            await handler(scope, receive, send)
        else:
            await answer(send, {"service": self.name})

    async def start(self) -> None:
        if self.listener.fileno() == -1:
            self.listener = _bound(self.port)
        await self._running.enter_async_context(serving(self, self.listener, lifespan="off"))

    async def stop(self) -> None:
        await self._running.aclose()
        self.listener.close()


@dataclass(frozen=True)
class Stage:
    """The gateway with the services behind it."""

    port: int
    client: httpx.AsyncClient
    services: dict[str, Service]

    def __getitem__(self, service: str) -> Service:
        return self.services[service]

    async def raw(self, request: bytes, patience: float = 1) -> bytes:
        """All that is answered to these bytes until the connection is closed, or nothing comes for so many seconds."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        said = b""
        with contextlib.suppress(TimeoutError, ConnectionResetError):
            while part := await asyncio.wait_for(reader.read(65536), patience):
                said += part
        writer.close()
        return said


def a_token(principal: Principal | None = None, now: datetime | None = None, key: OKPKey = KEY) -> str:
    return Issuer(key).issue(principal or a_partners_user(), now or datetime.now(UTC))[0]


def a_partners_user() -> Principal:
    return Principal(kind="partner", user_id=new_id(), partner_id=new_id(), gen=1)


def signed_in(principal: Principal | None = None) -> dict[str, str]:
    return {"authorization": f"Bearer {a_token(principal)}"}


@asynccontextmanager
async def serving(app: ASGIApp, listener: socket.socket, **options: Any) -> AsyncIterator[None]:
    server = _Server(uvicorn.Config(app, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=1, **options))
    task = asyncio.create_task(server.serve(sockets=[listener]))

    async def started() -> bool:
        return server.started

    await eventually(started, every=0.01)
    try:
        yield
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def a_stage(**settings: Any) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        services = {name: Service(name) for name in SERVICES}
        await asyncio.gather(*(service.start() for service in services.values()))
        stack.push_async_callback(_stop, *services.values())
        urls = {f"{name}_url": service.url for name, service in services.items()}
        told = Settings(http_port=1, keys_url=f"{services['customers'].url}/.well-known/jwks.json", **urls, **settings)
        listener = _bound(0)
        port = listener.getsockname()[1]
        await stack.enter_async_context(serving(await stack.enter_async_context(opened(told)), listener, **listening(told)))
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False))
        yield Stage(port, client, services)


async def _stop(*services: Service) -> None:
    await asyncio.gather(*(service.stop() for service in services))


def _bound(port: int) -> socket.socket:
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    return listener
