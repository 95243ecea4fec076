"""An answer goes out in as few writes as its parts allow, and a stream is not held up by that."""

import asyncio
from typing import Any, ClassVar

from starlette.types import Receive, Scope, Send
from uvicorn import Config, Server

from chassis.http.joining import JoiningProtocol
from chassis_testing.waiting import eventually
from onebox.ports import free_ports

HEAD = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]}


class Written(JoiningProtocol):
    """Remembers what was handed to the connection at once."""

    writes: ClassVar[list[bytes]] = []

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(_Noting(transport))  # type: ignore[arg-type]  # it has all that is asked of it


class _Noting:
    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        Written.writes.append(data)
        self._transport.write(data)


async def test_a_small_answer_is_one_write() -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send(HEAD)
        await send({"type": "http.response.body", "body": b"0123456789"})

    assert (await _asked(app)).endswith(b"\r\n\r\n0123456789")
    assert len(Written.writes) == 1


async def test_the_head_of_a_stream_does_not_wait_for_its_body() -> None:
    going_on = asyncio.Event()

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send(HEAD)
        await going_on.wait()
        await send({"type": "http.response.body", "body": b"0123456789"})

    asking = asyncio.create_task(_asked(app))
    await eventually(lambda: _written(b"HTTP/1.1 200"))
    going_on.set()

    assert (await asking).endswith(b"\r\n\r\n0123456789")


async def _written(beginning: bytes) -> bool:
    return bool(Written.writes) and Written.writes[0].startswith(beginning)


async def _asked(app: Any) -> bytes:
    """What one connection gets until it is closed."""
    Written.writes.clear()
    (port,) = free_ports(1)
    server = Server(Config(app, port=port, http=Written, lifespan="off", log_config=None, access_log=False))
    serving = asyncio.create_task(server._serve())
    try:
        await eventually(lambda: _started(server))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n")
        got = await reader.read()
        writer.close()
        return got
    finally:
        server.should_exit = True
        await serving


async def _started(server: Server) -> bool:
    return server.started
